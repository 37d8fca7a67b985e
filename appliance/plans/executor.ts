import type { Command } from '../../contract/messages.ts'
import { stepName, type Lane, type Plan } from '../../contract/plan.ts'
import { sentence } from '../hardware-error.ts'
import { generationOf, isGone, remember, setGeneration, setGone } from '../ledger/inbox.ts'
import type { PendingPlans } from '../ledger/pending-plans.ts'
import { Stopped } from './attempt.ts'
import { close, report } from './report.ts'
import { runPlan, type PlanParts } from './run-plan.ts'

const REFETCH_MS = 5000
const AGAIN_MS = 30_000

const lanes = ['provision', 'power'] as const satisfies Lane[]

type Run = Extract<Command, { kind: 'run' }>
type PlanCommand = Exclude<Command, { kind: 'capture' | 'console' | 'volume' }>

export interface ExecutorParts extends PlanParts {
  pending: PendingPlans
  /** Gets a plan that was too large for its command. Rejects while it can't be had. */
  fetchPlan(command: Run, signal: AbortSignal): Promise<Plan>
}

export interface Executor {
  /** Takes a command into the ledger and acts on it. Who acknowledges it waits for `ledger.durable` first. */
  accept(command: PlanCommand): void
  /** Goes on with what a crash interrupted. */
  resume(): void
  /** A plan is open in this lane of the node, or in any. */
  busy(node: string, lane?: Lane): boolean
  stop(): Promise<void>
}

export function startExecutor(parts: ExecutorParts): Executor {
  const { ledger, journal, machines, clock, log, pending } = parts
  const running = new Map<string, { plan: string; cancel: AbortController; leave: AbortController }>()
  const chains = new Map<string, Promise<void>>()
  const fetching = new Set<Promise<void>>()
  const goingDown = new AbortController()
  const key = (node: string, lane: Lane): string => `${node} ${lane}`

  function accept(command: PlanCommand): void {
    const fresh = ledger.soon(() => remember(ledger, command) && (take(command), true))
    parts.crashPoint(`${command.kind} remembered`)
    if (!fresh) return
    switch (command.kind) {
      case 'run':
        if ('steps' in command.plan) wake(command.node, command.plan.lane)
        else startFetching(command)
        return
      case 'cancel': {
        const name = key(command.node, command.lane)
        const open = journal.openIn(command.node, command.lane)
        if (open?.plan.generation === command.generation) running.get(name)?.cancel.abort(new Stopped(command.reason))
        return
      }
      case 'unhold':
        return // the step that holds sees it in the journal
      case 'watch':
        return
      case 'release':
        if (machines.get(command.node) === undefined) leave(command.node, 'another appliance looks after the node now')
        return
      case 'forget':
        leave(command.node, 'the node was deleted')
    }
  }

  function leave(node: string, why: string): void {
    for (const lane of lanes) running.get(key(node, lane))?.leave.abort(new Stopped(why))
  }

  /** What must be true together with the command being remembered. */
  function take(command: PlanCommand): void {
    if (isGone(ledger, command)) return
    switch (command.kind) {
      case 'run':
        if ('steps' in command.plan) admit(command, command.plan)
        else pending.add(command)
        return
      case 'cancel': {
        const open = journal.openIn(command.node, command.lane)
        if (open?.plan.generation === command.generation) journal.save({ ...open, cancel: command.reason })
        dropPending((each) => each.node === command.node && each.generation === command.generation)
        return
      }
      case 'unhold': {
        const open = journal.openIn(command.node, command.lane)
        if (open?.plan.generation === command.generation) journal.unhold(open.plan.id, command.step)
        return
      }
      case 'watch':
        machines.learn(command.machine, command.generation)
        return
      case 'release':
        // It has come back meanwhile: that counts, whichever message was quicker.
        if (machines.generation(command.node) > command.generation) return
        forget(command)
        return
      case 'forget':
        forget(command)
    }
  }

  function forget(command: PlanCommand): void {
    const { node } = command
    setGone(ledger, command)
    dropPending((each) => each.node === node)
    journal.forget(node)
    machines.forget(node)
  }

  function admit(command: Run, plan: Plan): void {
    const { node, lane, generation, kind } = plan
    const facts = { node, lane, generation, kind, command: command.seq }
    if (generation <= generationOf(ledger, node, lane)) {
      log.info(facts, 'command of an older generation has no effect')
      return
    }
    const former = journal.openIn(node, lane)
    if (former) journal.save({ ...former, state: 'closed' })
    setGeneration(ledger, node, lane, generation)
    machines.learn(plan.machine, generation)
    journal.add(plan, command.seq)
    const entry = journal.get(plan.id)!
    if (clock.now() > new Date(command.deadline)) {
      close(parts, entry, 'refused', 'the command reached the site after its deadline')
      return
    }
    report(parts, entry, 'accepted', 'accepted by the site')
    log.info({ ...facts, steps: plan.steps.map(stepName) }, 'plan accepted')
  }

  function dropPending(unwanted: (command: Run) => boolean): void {
    pending.all().filter(unwanted).forEach(pending.remove)
  }

  function startFetching(command: Run): void {
    const work = fetchPending(command).finally(() => fetching.delete(work))
    fetching.add(work)
  }

  /** Until the plan is here, or nobody wants it any more: cancelled, forgotten, or the cloud has given up on the command. */
  async function fetchPending(command: Run): Promise<void> {
    const facts = { node: command.node, command: command.seq }
    while (!goingDown.signal.aborted && ledger.db.isOpen && pending.has(command)) {
      try {
        const plan = await parts.fetchPlan(command, goingDown.signal)
        ledger.transaction(() => {
          if (!pending.has(command)) return
          pending.remove(command)
          admit(command, plan)
        })
        wake(plan.node, plan.lane)
        return
      } catch (error) {
        log.warn({ ...facts, error: sentence(error) }, 'plan not fetched yet')
        if (clock.now() > new Date(command.deadline)) {
          log.error(facts, "plan not fetched by its command's deadline; given up")
          if (ledger.db.isOpen) pending.remove(command)
          return
        }
        await clock.sleep(REFETCH_MS, goingDown.signal).catch(() => {})
      }
    }
  }

  /** One plan at a time in each lane of a node, and the newest generation wins: the one in progress is stopped, then the new one starts. */
  function wake(node: string, lane: Lane): void {
    const name = key(node, lane)
    const newest = journal.openIn(node, lane)
    const current = running.get(name)
    if (!newest || current?.plan === newest.plan.id) return
    current?.leave.abort(new Stopped('superseded by a newer operation'))
    const chain = (chains.get(name) ?? Promise.resolve())
      .then(() => keepWorking(node, lane))
      .finally(() => {
        if (chains.get(name) === chain) chains.delete(name)
      })
    chains.set(name, chain)
  }

  /** A ledger that can't be written (disk full) holds the plan up; it goes on from what was written last. */
  async function keepWorking(node: string, lane: Lane): Promise<void> {
    while (!goingDown.signal.aborted && ledger.db.isOpen) {
      try {
        await work(node, lane)
        return
      } catch (error) {
        log.error({ node, lane, error: sentence(error) }, 'plan executor failed; trying again')
        await clock.sleep(AGAIN_MS, goingDown.signal).catch(() => {})
      }
    }
  }

  async function work(node: string, lane: Lane): Promise<void> {
    const entry = journal.openIn(node, lane)
    if (!entry) return
    const cancel = new AbortController()
    const leave = new AbortController()
    running.set(key(node, lane), { plan: entry.plan.id, cancel, leave })
    await runPlan(parts, entry, cancel.signal, AbortSignal.any([leave.signal, goingDown.signal])).finally(() =>
      running.delete(key(node, lane)),
    )
  }

  return {
    accept,
    resume() {
      for (const { plan } of journal.open()) wake(plan.node, plan.lane)
      for (const command of pending.all()) startFetching(command)
    },
    busy: (node, lane) => (lane ? [lane] : lanes).some((each) => journal.openIn(node, each) !== undefined),
    async stop() {
      goingDown.abort(new Stopped('the appliance is going down'))
      await Promise.all([...chains.values(), ...fetching])
    },
  }
}
