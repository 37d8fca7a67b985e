import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { sentence } from '../hardware-error.ts'
import type { BmcFaults } from '../ledger/bmc-faults.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Log } from '../log.ts'
import { openLanes } from './lanes.ts'
import type { News } from './news.ts'
import type { Policy } from './policy.ts'
import { afterPlan, heard, newWatch, type Heard, type Watch } from './watch.ts'

const TICK_MS = 1000
const ROLL_CALL_MS = 10_000
/** After a start all are asked once within this time. */
const FIRST_MS = 40_000

export interface PowerSyncParts {
  machines: Pick<Machines, 'nodes' | 'get' | 'powerOf'>
  faults: BmcFaults
  news: News
  clock: Clock
  random: () => number
  log: Log
  policy: Policy
  /** Undefined: somebody else is talking to this BMC. */
  ask(machine: Machine): Promise<'power on' | 'power off' | undefined>
  /** A plan is at work on it: what it reports is nearer the truth. */
  busy(node: string): boolean
}

export interface PowerSync {
  /** Something happened to this machine, such as an event of its BMC: it is asked within a second. */
  hint(node: string): void
  stop(): Promise<void>
}

/** Asks machines' BMCs for their power state, and tells what changed. When each is asked and what is thought of its answer, watch.ts says;
 * who is asked beside whom, lanes.ts. */
export function startPowerSync(parts: PowerSyncParts): PowerSync {
  const { machines, clock, policy, busy, log, news } = parts
  const stopped = new AbortController()
  const watches = new Map<string, Watch>()
  const atWork = new Set<string>()
  const now = (): number => clock.now().getTime()
  const lanes = openLanes(look, now)
  let rollCall = 0

  function callRoll(at: number): void {
    rollCall = at + ROLL_CALL_MS
    const nodes = new Set(machines.nodes())
    for (const node of watches.keys()) if (!nodes.has(node)) watches.delete(node)
    const within = Math.min(policy.idle, FIRST_MS)
    for (const node of nodes)
      if (!watches.has(node))
        watches.set(node, newWatch(machines.powerOf(node), at + parts.random() * within, parts.faults.has(node)))
  }

  function leave(node: string, watch: Watch): void {
    atWork.add(node)
    watches.set(node, { ...watch, due: now() + policy.busy })
  }

  /** A plan has ended, or came and went unseen: what the ledger knows of the machine is what counts. */
  function level(node: string, watch: Watch): Watch {
    const known = machines.powerOf(node)
    if (!atWork.delete(node) && known === watch.known) return watch
    const fresh = afterPlan({ ...watch, owed: parts.faults.has(node) }, known, now(), policy)
    watches.set(node, fresh)
    return fresh
  }

  async function look(node: string): Promise<void> {
    try {
      const watch = watches.get(node)
      const machine = machines.get(node)?.machine
      if (!watch || !machine || stopped.signal.aborted) return
      if (busy(node)) return leave(node, watch)
      const { known } = level(node, watch)
      const asked = now()
      const what = await listen(machine)
      const then = watches.get(node)
      if (!then || stopped.signal.aborted) return
      if (busy(node) || machines.powerOf(node) !== known) return leave(node, then)
      if (what === undefined) return void watches.set(node, { ...then, due: now() + policy.busy })
      judge(node, then, what, asked)
    } catch (error) {
      log.error({ node, error: sentence(error) }, 'power state not looked at')
      const watch = watches.get(node)
      if (watch) watches.set(node, { ...watch, due: now() + policy.idle })
    }
  }

  async function listen(machine: Machine): Promise<Heard | undefined> {
    try {
      const power = await parts.ask(machine)
      return power && { power }
    } catch (error) {
      return { silent: sentence(error) }
    }
  }

  function judge(node: string, before: Watch, what: Heard, asked: number): void {
    const { watch, tell } = heard(before, what, { asked, now: now(), chance: parts.random() }, policy)
    watches.set(node, watch)
    if ('silent' in what && before.misses === 0) log.warn({ node, error: what.silent }, 'power state not to be read')
    if (watch.misses < before.misses) log.info({ node }, 'power state can be read again')
    for (const each of tell) news.add(node, each)
  }

  function turn(): void {
    const at = now()
    news.flush((node) => {
      if (!busy(node)) return true
      atWork.add(node)
      return false
    })
    if (at >= rollCall) callRoll(at)
    lanes.tick(at)
    for (const [node, { due, lane }] of watches) if (due <= at && !lanes.has(node)) lanes.add(node, lane)
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        turn()
      } catch (error) {
        log.error({ error: sentence(error) }, 'power states not looked after; trying again')
      }
      await clock.sleep(TICK_MS, stopped.signal).catch(() => {})
    }
  }

  const looping = loop()
  return {
    hint(node) {
      const watch = watches.get(node)
      if (watch) watches.set(node, { ...watch, due: now(), stirred: now() })
    },
    stop() {
      stopped.abort(new Error('stopped'))
      lanes.stop()
      return looping // and not for a BMC that is silent
    },
  }
}
