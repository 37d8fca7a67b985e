import type { ConsoleAsk } from '../../contract/console.ts'
import { features } from '../../contract/features.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'
import { MESSAGE_LIMIT, type Command, type Report, type Uplink } from '../../contract/messages.ts'
import type { Clock } from '../clock.ts'
import { commandsThrough, remember, skipTo } from '../ledger/inbox.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Urls } from '../ledger/urls.ts'
import type { VolumeRoom } from '../../contract/block-storage.ts'
import type { Log } from '../log.ts'
import type { Credentials } from './credentials.ts'
import type { Link } from './link.ts'
import { readDownlink, type Unread } from './read-downlink.ts'

const ALIVE_MS = 20_000
const RESEND_MS = 15_000
const BATCH = 100
const REFRESH_MS = 15_000

export interface UplinkParts {
  link: Link
  ledger: Ledger
  outbox: Outbox
  urls: Urls
  clock: Clock
  random: () => number
  software: string
  log: Log
  /** Remembers the command and acts on it; must have it in the ledger when it returns. */
  onCommand(command: Command): void
  /** What is asked of a machine's console: of the moment, and not acknowledged. */
  onConsole(node: string, ask: ConsoleAsk): void
  /** Where the file of a capture may be put. */
  onPlace(capture: string, place: { url: string; headers: Record<string, string> }): void
  /** What the cloud is to know of this appliance's certificate, and its answer where that asks for another. */
  certificate?: Pick<Credentials, 'told' | 'renewed'> | undefined
  /** For volumes of machines; undefined: there are none. */
  volumeRoom?(): Promise<VolumeRoom | undefined>
  /** An image is to be fetched beforehand; null: no more. */
  onPrefetch(image: string, wanted: ImageReference | null): void
}

export interface UplinkHandle {
  /** Ask for a fresh URL of this blob; however often it is called, every 15 s at most. */
  refresh(blob: string): void
  stop(): Promise<void>
}

/** Keeps the two ledgers level: commands are acknowledged by number, reports are sent until the cloud says that it has them. Whatever
 * is lost on the way is sent again, and being doubled harms nobody. */
export function startUplink(parts: UplinkParts): UplinkHandle {
  const { link, ledger, outbox, clock, log } = parts
  const stopped = new AbortController()
  let sent = 0 // reports up to here are on their way
  let sentAt = clock.now()
  let flushing = false
  let again = false
  let acknowledging = false
  let unacknowledged = false
  const stale = new Set<string>()
  const askedAt = new Map<string, number>()

  const alive = async (hello: boolean): Promise<void> => {
    const refresh = [...stale].slice(0, BATCH)
    try {
      const [volumes, certificate] = await Promise.all([parts.volumeRoom?.(), parts.certificate?.told()])
      const message: Uplink = {
        v: 1,
        kind: 'alive',
        at: clock.now().toISOString(),
        software: parts.software,
        commands_through: commandsThrough(ledger),
        hello,
        refresh,
        ...(volumes && { volumes }),
        ...(certificate && { certificate }),
        ...(hello && features.length > 0 && { features: [...features] }),
      }
      await ledger.durable() // what is acknowledged is never sent again
      await link.publish(JSON.stringify(message))
      for (const key of refresh) stale.delete(key)
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'could not say alive')
    }
  }

  /** Commands that come while the last acknowledgement is on its way share the next. */
  async function acknowledge(): Promise<void> {
    unacknowledged = true
    if (acknowledging) return
    acknowledging = true
    while (unacknowledged) {
      unacknowledged = false
      await alive(false)
    }
    acknowledging = false
  }

  async function flush(): Promise<void> {
    if (flushing) {
      again = true
      return
    }
    flushing = true
    try {
      do {
        again = false
        for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
          const message: Uplink = { v: 1, kind: 'reports', reports: batch }
          outbox.telling(batch.at(-1)!.seq)
          await ledger.durable() // a number that was told never means another report
          await link.publish(JSON.stringify(message))
          sent = batch.at(-1)!.seq
          sentAt = clock.now()
        }
      } while (again)
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'reports wait')
    } finally {
      flushing = false
    }
  }

  function nextBatch(): Report[] {
    const batch: Report[] = []
    let bytes = 64
    for (const report of outbox.pending(sent, BATCH)) {
      bytes += Buffer.byteLength(JSON.stringify(report)) + 1
      if (batch.length > 0 && bytes > MESSAGE_LIMIT) break
      batch.push(report)
    }
    return batch
  }

  function receive(payload: string): void {
    const read = readDownlink(payload)
    if (typeof read === 'string') {
      log.warn({ error: read }, 'message from the cloud not understood; dropped')
      return
    }
    const { message, unread } = read
    if (message.kind === 'received') {
      outbox.received(message.reports_through)
      return
    }
    if (message.kind === 'renewed') {
      parts.certificate?.renewed(message)
      return
    }
    if (message.kind === 'upload') {
      parts.onPlace(message.capture, message)
      return
    }
    if (message.kind === 'console') {
      parts.onConsole(message.node, message.ask)
      return
    }
    parts.urls.learn(message.urls)
    if (message.kind === 'urls') return
    if (message.kind === 'prefetch') {
      parts.onPrefetch(message.image, message.wanted)
      return
    }
    skipTo(ledger, message.stored_from)
    for (const command of message.commands.toSorted((a, b) => a.seq - b.seq)) {
      try {
        parts.onCommand(command)
      } catch (error) {
        // Not acknowledged, so it comes again: a full disk may have room by then. It holds up none of the others.
        const { seq, kind, node } = command
        log.error({ command: seq, kind, node, error: (error as Error).message }, 'command could not be taken in')
      }
    }
    unread.forEach(refuse)
    void acknowledge()
  }

  /** Acknowledged like any other, or it would come for ever; the cloud ends what waits for it. */
  function refuse({ seq, about, why }: Unread): void {
    try {
      const fresh = ledger.soon(() => {
        if (!remember(ledger, { seq })) return false
        if (!about) return true
        const { node, generation, kind } = about
        const text = `(software ${parts.software}) ${why}: update it`
        outbox.append({ kind: 'refused', node, generation, command: kind, text })
        return true
      })
      if (fresh) log.error({ command: seq, ...about, error: why }, 'command refused')
    } catch (error) {
      log.error({ command: seq, error: (error as Error).message }, 'command could not be refused; it comes again')
    }
  }

  async function tick(): Promise<void> {
    let next = clock.now().getTime() + ALIVE_MS * (0.75 + parts.random() / 2)
    for (;;) {
      await clock.sleep(5000, stopped.signal)
      const now = clock.now().getTime()
      if (now >= next) {
        next = now + ALIVE_MS * (0.75 + parts.random() / 2)
        await alive(false)
      }
      if (now - sentAt.getTime() > RESEND_MS) {
        sent = 0
        await flush()
      }
    }
  }

  outbox.onAppend(() => void flush())
  link.onConnect(() => {
    sent = 0
    void alive(true).then(flush)
  })
  link.onMessage((payload) => {
    try {
      receive(payload)
    } catch (error) {
      log.error({ error: (error as Error).message }, 'message from the cloud could not be taken in')
    }
  })
  const ticking = tick().catch(() => {})

  return {
    refresh: (blob) => {
      const now = clock.now().getTime()
      for (const [asked, at] of askedAt) if (now - at > REFRESH_MS) askedAt.delete(asked)
      if (askedAt.has(blob)) return
      askedAt.set(blob, now)
      stale.add(blob)
      void alive(false)
    },
    async stop() {
      stopped.abort(new Error('stopped'))
      await ticking
      await link.end()
    },
  }
}
