import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { sentence } from '../hardware-error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import type { Bmc } from './bmc.ts'

const EVERY_MS = 120_000 // Ironic: sync_power_state_interval
const AT_ONCE = 8
/** A BMC that doesn't answer is asked every 2nd, 4th … round, but not less often than this. */
const REST_ROUNDS = 16

/** So many of them in one round, so that a dead BMC network doesn't stretch it. */
const MOST_SILENT = 32

export interface PowerSyncParts {
  machines: Machines
  ledger: Ledger
  outbox: Outbox
  clock: Clock
  random: () => number
  log: Log
  bmcOf(machine: Machine): Promise<Bmc>
  /** A plan is at work on it: what it reports is nearer the truth. */
  busy(node: string): boolean
}

/** How often in a row a BMC failed to answer, and how many rounds it is left alone for that. */
type Failing = Map<string, { times: number; rest: number }>

/** Asks idle machines' BMCs for their power state now and then; only what changed is reported. A BMC that doesn't answer changes nothing,
 * and holds up nobody: it is asked after all others, and ever more seldom. */
export function startPowerSync(parts: PowerSyncParts): () => Promise<void> {
  const stopped = new AbortController()
  const looping = loop(parts, stopped.signal)
  return () => {
    stopped.abort(new Error('stopped'))
    return looping
  }
}

async function loop(parts: PowerSyncParts, signal: AbortSignal): Promise<void> {
  const failing: Failing = new Map()
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  while (!signal.aborted) {
    await parts.clock.sleep(EVERY_MS * (0.75 + parts.random() / 2), signal).catch(() => {})
    if (signal.aborted) return
    const asking = round(parts, failing, signal).catch((error: unknown) => {
      parts.log.error({ error: sentence(error) }, 'round of power states failed')
    })
    // Whoever stops does not wait for a BMC that is silent.
    await Promise.race([asking, ended])
  }
}

async function round(parts: PowerSyncParts, failing: Failing, signal: AbortSignal): Promise<void> {
  const nodes = parts.machines.nodes()
  for (const node of failing.keys()) if (!nodes.includes(node)) failing.delete(node)
  const due = nodes.filter((node) => {
    const state = failing.get(node)
    if (!state || state.rest === 0) return true
    state.rest -= 1
    return false
  })
  const silent = due.filter((node) => failing.has(node)).slice(0, MOST_SILENT)
  const todo = [...due.filter((node) => !failing.has(node)), ...silent]
  const worker = async (): Promise<void> => {
    for (let node = todo.shift(); node !== undefined && !signal.aborted; node = todo.shift())
      await look(parts, failing, node, signal)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function look(parts: PowerSyncParts, failing: Failing, node: string, signal: AbortSignal): Promise<void> {
  const { machines, ledger, outbox, log } = parts
  try {
    const known = machines.get(node)
    if (!known || parts.busy(node)) return
    const state = await (await parts.bmcOf(known.machine)).power()
    if (signal.aborted) return
    if (failing.delete(node)) log.info({ node }, 'power state can be read again')
    const before = machines.get(node)?.powerState
    if (before === undefined || before === state || parts.busy(node)) return
    ledger.transaction(() => {
      machines.setPower(node, state)
      outbox.append({ kind: 'power', node, power_state: state })
    })
    log.info({ node, before, power_state: state }, 'power state changed by itself')
  } catch (error) {
    if (signal.aborted) return
    const times = (failing.get(node)?.times ?? 0) + 1
    failing.set(node, { times, rest: Math.min(2 ** (times - 1), REST_ROUNDS) })
    if (times === 1) log.warn({ node, error: sentence(error) }, 'power state not to be read')
  }
}
