import type { Command } from '../../contract/messages.ts'
import { stepName, type Lane, type Plan } from '../../contract/plan.ts'
import { sentence } from '../hardware-error.ts'
import { generationOf, remember, setGeneration } from '../ledger/inbox.ts'
import type { PendingPlans } from '../ledger/pending-plans.ts'
import { Stopped } from './attempt.ts'
import { close, report, runPlan, type PlanParts } from './run-plan.ts'

const REFETCH_MS = 5000

type Run = Extract<Command, { kind: 'run' }>

export interface ExecutorParts extends PlanParts {
  pending: PendingPlans
  /** Gets a plan that was too large for its command. Rejects while it can't be had. */
  fetchPlan(command: Run, signal: AbortSignal): Promise<Plan>
}

export interface Executor {
  /** Takes a command into the ledger and acts on it; when it returns, a crash loses nothing of it. */
  accept(command: Command): void
  /** Goes on with what a crash interrupted. */
  resume(): void
  /** A plan in the provision lane is open. */
  busy(node: string): boolean
  stop(): Promise<void>
}

export function startExecutor(parts: ExecutorParts): Executor {
  const { ledger, journal, machines, clock, log, pending } = parts
  const running = new Map<string, { plan: string; stop: AbortController }>()
  const chains = new Map<string, Promise<void>>()
  const goingDown = new AbortController()
  const key = (node: string, lane: Lane): string => `${node} ${lane}`

  function accept(command: Command): void {
    const fresh = ledger.transaction(() => remember(ledger, command) && (take(command), true))
    parts.crashPoint(`${command.kind} remembered`)
    if (!fresh) return
    switch (command.kind) {
      case 'run':
        if ('steps' in command.plan) wake(command.node, command.plan.lane)
        else void fetchPending(command)
        return
      case 'cancel': {
        const name = key(command.node, command.lane)
        const open = journal.openIn(command.node, command.lane)
        if (open?.plan.generation === command.generation) running.get(name)?.stop.abort(new Stopped(command.reason))
        return
      }
      case 'forget':
        for (const lane of ['provision', 'power'] as const)
          running.get(key(command.node, lane))?.stop.abort(new Stopped('the node was deleted'))
    }
  }

  /** What must be true together with the command being remembered. */
  function take(command: Command): void {
    switch (command.kind) {
      case 'run':
        if ('steps' in command.plan) admit(command, command.plan)
        else pending.add(command)
        return
      case 'cancel': {
        const open = journal.openIn(command.node, command.lane)
        if (open?.plan.generation === command.generation) journal.save({ ...open, cancel: command.reason })
        return
      }
      case 'forget':
        journal.forget(command.node)
        machines.forget(command.node)
    }
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

  async function fetchPending(command: Run): Promise<void> {
    while (!goingDown.signal.aborted) {
      try {
        const plan = await parts.fetchPlan(command, goingDown.signal)
        ledger.transaction(() => {
          pending.remove(command)
          admit(command, plan)
        })
        wake(plan.node, plan.lane)
        return
      } catch (error) {
        log.warn({ node: command.node, command: command.seq, error: sentence(error) }, 'plan not fetched yet')
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
    current?.stop.abort(new Stopped('superseded by a newer operation'))
    const chain = (chains.get(name) ?? Promise.resolve())
      .then(() => work(node, lane))
      .catch((error: unknown) => log.error({ node, lane, error: sentence(error) }, 'plan executor failed'))
      .finally(() => {
        if (chains.get(name) === chain) chains.delete(name)
      })
    chains.set(name, chain)
  }

  async function work(node: string, lane: Lane): Promise<void> {
    if (goingDown.signal.aborted) return
    const entry = journal.openIn(node, lane)
    if (!entry) return
    const stop = new AbortController()
    running.set(key(node, lane), { plan: entry.plan.id, stop })
    await runPlan(parts, entry, AbortSignal.any([stop.signal, goingDown.signal]), goingDown.signal).finally(() =>
      running.delete(key(node, lane)),
    )
  }

  return {
    accept,
    resume() {
      for (const { plan } of journal.open()) wake(plan.node, plan.lane)
      for (const command of pending.all()) void fetchPending(command)
    },
    busy: (node) => journal.openIn(node, 'provision') !== undefined,
    async stop() {
      goingDown.abort(new Stopped('the appliance is going down'))
      await Promise.all(chains.values())
    },
  }
}
