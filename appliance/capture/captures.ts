import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CAPTURE_BYTES } from '../../contract/capture.ts'
import type { Command } from '../../contract/messages.ts'
import type { Clock } from '../clock.ts'
import { sentence } from '../hardware-error.ts'
import { remember } from '../ledger/inbox.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { NewReport, Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import type { Deliveries } from '../uplink/deliveries.ts'
import type { Captured, CaptureOptions } from './capture.ts'

type Asked = Extract<Command, { kind: 'capture' }>
type Report = Extract<NewReport, { kind: 'capture' }>
/** As the site is asked for it: the interface may be left to it. */
export type CaptureOrder = Omit<CaptureOptions, 'interface'> & { interface?: string }

export interface CaptureParts {
  dir: string
  ledger: Ledger
  outbox: Pick<Outbox, 'append'>
  clock: Clock
  log: Log
  make(order: CaptureOrder): Promise<Captured>
  deliveries: Pick<Deliveries, 'deliver'>
}

export interface Captures {
  /** Takes the command into the ledger, and captures beside everything else that goes on. */
  accept(command: Asked): void
  stop(): Promise<void>
}

const MOST_AT_ONCE = 4
const TELL_MS = 2_000

/** Captures that the cloud asks for. They are of the moment: one that a restart interrupts is not begun again, but told as failed. */
export function openCaptures(parts: CaptureParts): Captures {
  const { dir, ledger, outbox, clock, log, make, deliveries } = parts
  const running = new Set<Promise<void>>()
  const goingDown = new AbortController()
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const left of readdirSync(dir)) {
    const [node = '', capture = ''] = left.split('_')
    rmSync(join(dir, left))
    tell({ node, capture }, 'failed', { note: 'the appliance was restarted while it captured: ask again' })
  }

  function tell(of: Pick<Report, 'node' | 'capture'>, phase: Report['phase'], more: Partial<Report>): void {
    const { node, capture } = of
    outbox.append({ packets: 0, bytes: 0, sha256: null, note: null, ...more, kind: 'capture', node, capture, phase })
  }

  async function run(command: Asked): Promise<void> {
    const { node, capture, macs, seconds, packets } = command
    const out = join(dir, `${node}_${capture}_.pcap`)
    let told = clock.now().getTime()
    const onProgress = (soFar: number, bytes: number): void => {
      if (clock.now().getTime() - told < TELL_MS) return
      told = clock.now().getTime()
      tell(command, 'running', { packets: soFar, bytes })
    }
    try {
      tell(command, 'running', {})
      log.info({ node, capture, macs, seconds, packets }, 'capturing')
      const order = { macs, seconds, packets, bytes: CAPTURE_BYTES, interface: command.interface, out, onProgress }
      const { ended, ...made } = await make({ ...order, signal: goingDown.signal })
      goingDown.signal.throwIfAborted()
      const about = { ...made, note: ended, sha256: await digest(out) }
      const announce = (): void => tell(command, 'captured', about)
      await deliveries.deliver({ id: capture, what: 'the capture', path: out }, announce, goingDown.signal)
      tell(command, 'done', about)
      log.info({ node, capture, ...made, ended }, 'captured')
    } catch (error) {
      if (goingDown.signal.aborted) return // its file is found at the next start
      log.warn({ node, capture, error: sentence(error) }, 'capture failed')
      tell(command, 'failed', { note: sentence(error).slice(0, 1024) })
    }
    rmSync(out, { force: true })
  }

  return {
    accept(command) {
      if (!remember(ledger, command)) return
      if (clock.now() > new Date(command.deadline)) return tell(command, 'failed', { note: 'it reached the site late' })
      if (running.size >= MOST_AT_ONCE)
        return tell(command, 'failed', { note: `${MOST_AT_ONCE} captures run at this site already: ask again later` })
      const work = run(command).finally(() => running.delete(work))
      running.add(work)
    },
    async stop() {
      goingDown.abort(new Error('the appliance is going down'))
      await Promise.all(running)
    },
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
