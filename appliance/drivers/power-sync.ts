import type { Clock } from '../clock.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import type { Bmc } from './bmc.ts'
import { sentence } from '../hardware-error.ts'

const EVERY_MS = 120_000 // Ironic: sync_power_state_interval
const AT_ONCE = 8

export interface PowerSyncParts {
  machines: Machines
  ledger: Ledger
  outbox: Outbox
  clock: Clock
  random: () => number
  log: Log
  bmcOf(node: string): Promise<Bmc>
  /** A plan is at work on it: what it reports is nearer the truth. */
  busy(node: string): boolean
}

/** Asks idle machines' BMCs for their power state now and then; only what changed is reported. A BMC that doesn't answer changes nothing. */
export function startPowerSync(parts: PowerSyncParts): () => Promise<void> {
  const stopped = new AbortController()
  const looping = loop(parts, stopped.signal).catch(() => {})
  return () => {
    stopped.abort(new Error('stopped'))
    return looping
  }
}

async function loop(parts: PowerSyncParts, signal: AbortSignal): Promise<void> {
  for (;;) {
    await parts.clock.sleep(EVERY_MS * (0.75 + parts.random() / 2), signal)
    const todo = parts.machines.nodes().filter((node) => !parts.busy(node))
    const worker = async (): Promise<void> => {
      for (let node = todo.pop(); node !== undefined && !signal.aborted; node = todo.pop()) await look(parts, node)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
}

async function look(parts: PowerSyncParts, node: string): Promise<void> {
  try {
    const state = await (await parts.bmcOf(node)).power()
    const known = parts.machines.get(node)
    if (!known || known.powerState === state || parts.busy(node)) return
    parts.ledger.transaction(() => {
      parts.machines.setPower(node, state)
      parts.outbox.append({ kind: 'power', node, power_state: state })
    })
    parts.log.info({ node, before: known.powerState, power_state: state }, 'power state changed by itself')
  } catch (error) {
    parts.log.warn({ node, error: sentence(error) }, 'power state not to be read')
  }
}
