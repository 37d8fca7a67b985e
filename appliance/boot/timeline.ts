import { BOOT_MARKS, type BootMark } from '../../contract/boot-mark.ts'
import type { BootEventKind, BootEvents } from './machine.ts'
import { Recent } from './recent.ts'

const MACHINES = 4_096
const MAX_EVENTS = 32
const NO_DETAIL = {}

interface BootEvent {
  at: Date
  kind: BootEventKind
  detail: Record<string, string | number>
  times: number
}

export interface Timeline extends BootEvents {
  /** Oldest first; of an event that repeats, the last time. */
  of(mac: string): readonly BootEvent[]
  /** Of the newest event since then, for an error: "last seen: kernel fetched over HTTP 42 s ago". */
  lastSeen(macs: string[], since: Date): string | undefined
  /** The way of these MACs since then, oldest first, for people: the newest where there is too much of it. */
  marks(macs: string[], since: Date): BootMark[]
}

/** What was seen of each machine on its way through a boot. The machines seen longest ago are forgotten first. */
export function openTimeline(now: () => Date): Timeline {
  const byMac = new Recent<string, BootEvent[]>(MACHINES)
  const begun = (mac: string): BootEvent[] => {
    const events: BootEvent[] = []
    byMac.set(mac, events)
    return events
  }
  return {
    seen(mac, kind, detail = NO_DETAIL) {
      const events = byMac.get(mac) ?? begun(mac)
      const last = events.at(-1)
      const times = last?.kind === kind ? last.times + 1 : 1
      if (last?.kind === kind) events.pop()
      events.push({ at: now(), kind, detail, times })
      if (events.length > MAX_EVENTS) events.shift()
    },
    of: (mac) => byMac.get(mac) ?? [],
    marks: (macs, since) =>
      macs
        .flatMap((mac) => byMac.get(mac) ?? [])
        .filter(({ at }) => at >= since)
        .sort((a, b) => a.at.getTime() - b.at.getTime())
        .slice(-BOOT_MARKS)
        .map(({ at, kind, detail, times }) => ({ at: at.toISOString(), seen: step(kind, detail), times })),
    lastSeen(macs, since) {
      const latest = macs
        .flatMap((mac) => byMac.get(mac)?.at(-1) ?? [])
        .filter(({ at }) => at >= since)
        .sort((a, b) => b.at.getTime() - a.at.getTime())[0]
      if (latest === undefined) return undefined
      const seconds = Math.round((now().getTime() - latest.at.getTime()) / 1_000)
      return `last seen: ${sentences[latest.kind](latest.detail)} ${seconds} s ago`
    },
  }
}

const sentences: Record<BootEventKind, (detail: BootEvent['detail']) => string> = {
  'dhcp discover': () => 'DHCP discover that was not answered,',
  'dhcp offer': () => 'address offered by DHCP, not taken up,',
  'dhcp request': () => 'DHCP request that was not granted,',
  'dhcp ack': ({ address }) => `address ${address ?? ''} leased by DHCP`,
  tftp: (detail) => `loader ${detail['file'] ?? ''} fetched over TFTP${part(detail)}`,
  script: ({ over = 'HTTP' }) => `boot script fetched over ${over}`,
  kernel: (detail) => `kernel fetched over ${detail['over'] ?? 'HTTP'}${part(detail)}`,
  initrd: (detail) => `ramdisk fetched over ${detail['over'] ?? 'HTTP'}${part(detail)}`,
  iso: () => 'ISO read over HTTP',
  kickstart: () => 'kickstart fetched over HTTP',
  stage2: (detail) => `second stage of the installer fetched over HTTP${part(detail)}`,
  medium: () => 'boot medium read by the BMC',
  lookup: () => 'agent looked itself up',
  heartbeat: () => "agent's heartbeat",
}

/** As a step of the way, where the sentences above tell of a way that ended there. */
function step(kind: BootEventKind, detail: BootEvent['detail']): string {
  const { address = '', late } = detail
  const dhcp: Partial<Record<BootEventKind, string>> = {
    'dhcp discover': `DHCP discover${late === undefined ? '' : `, not heard for ${late} s: is its switch port an edge port (portfast)?`}`,
    'dhcp offer': `DHCP offer of ${address}`,
    'dhcp request': 'DHCP request',
    'dhcp ack': `DHCP ack of ${address}`,
  }
  return (dhcp[kind] ?? sentences[kind](detail).replace(/,$/, '')).slice(0, 200)
}

function part({ bytes, size }: BootEvent['detail']): string {
  return bytes === undefined || size === undefined || bytes === size ? '' : `, ${bytes} of ${size} bytes,`
}
