import type { DhcpRequest } from '@bloomery/dhcp/request.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { Recent } from './recent.ts'

/** Firmware asks at 0, 4 and 12 s: one that is heard for the first time then was not heard twice. */
const LATE_S = 12
/** Firmware gives up after a minute: who asks later begins anew. */
const ASKING_MS = 90_000
const MACHINES = 4_096

export interface LateStarts {
  heard(request: Pick<DhcpRequest, 'type' | 'mac' | 'packet'>, ipxe: boolean): void
  /** How long this machine, which is asking now, had asked before it was heard; undefined where it was heard at once. */
  secondsOf(mac: string): number | undefined
}

/**
 * A switch port that comes up and is no edge port listens and learns for 30 s (IEEE 802.1D §17.14, forward delay) and drops what firmware
 * asks in that time; `secs` tells how long that was (RFC 2131 §2). iPXE is passed over: it counts from another moment.
 */
export function lateStarts(parts: { log: Log; metrics: Metrics; clock: Pick<Clock, 'now'> }): LateStarts {
  const { log, metrics, clock } = parts
  const since = clock.now().getTime()
  const asking = new Recent<string, { at: number; late?: number }>(MACHINES)
  return {
    heard({ type, mac, packet }, ipxe) {
      if (type !== 'discover') return
      const at = clock.now().getTime()
      const before = asking.get(mac)
      const goesOn = before !== undefined && at - before.at < ASKING_MS
      const seconds = elapsed(packet.secs)
      // Who began before we listened may have been heard by nobody.
      const isLate = !goesOn && !ipxe && seconds >= LATE_S && at - since > seconds * 1_000
      if (goesOn) before.at = at
      else asking.set(mac, { at, late: isLate ? seconds : undefined })
      if (!isLate) return
      metrics.count('bloomery_dhcp_late_starts_total')
      const why =
        'its port of the switch was deaf until then, as spanning tree makes it: make it an edge port (portfast)'
      log.warn({ mac, seconds }, `${mac} was first heard ${seconds} s after it began to ask: ${why}`)
    },
    secondsOf: (mac) => asking.get(mac)?.late,
  }
}

/** Some clients write it the wrong way round. */
function elapsed(secs: number): number {
  return secs > 255 && (secs & 255) === 0 ? secs >> 8 : secs
}
