import type { BootMark } from '../../contract/boot-mark.ts'
import { stepName, type Plan, type Step } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import { generationOf } from '../ledger/inbox.ts'
import type { Entry, Journal } from '../ledger/journal.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { DeployLogs } from '../agents/deploy-logs.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import { prefetch } from '../images/prefetch.ts'
import { attempt, Stopped } from './attempt.ts'
import { contextOf, phaseOf } from './context.ts'
import { close, report } from './report.ts'
import type { StepContext } from './step.ts'

/** Told at every point where a power cut would leave a different ledger; tests cut there. */
export type CrashPoint = (at: string) => void

export interface PlanParts {
  ledger: Ledger
  journal: Journal
  outbox: Outbox
  machines: Machines
  clock: Clock
  log: Log
  /** What steps use beyond the above. */
  tools(
    plan: Plan,
  ): Pick<
    StepContext,
    | 'bmc'
    | 'power'
    | 'agents'
    | 'images'
    | 'media'
    | 'switches'
    | 'posted'
    | 'ramdiskCommandLine'
    | 'doorUrl'
    | 'delayMs'
    | 'rescuePassword'
    | 'secrets'
    | 'authority'
  >
  /** How far the machine came on its way through a boot since then. */
  seenOfBoot(node: string, since: Date): BootMark[]
  /** Has the machine's console open meanwhile, where there is one. */
  attend(node: string): () => void
  logs: DeployLogs
  /** What it shows. */
  screenOf(node: string): string[] | undefined
  crashPoint: CrashPoint
}

/** Carries one journalled plan to its end: each step is journalled before and after, so that after a crash the step in progress is run
 * again and no other. `cancel` fails the plan; `leave` (a newer generation, a node forgotten, the appliance going down) ends it without
 * a word, for a successor or the next life to go on. */
export async function runPlan(parts: PlanParts, entry: Entry, cancel: AbortSignal, leave: AbortSignal): Promise<void> {
  const { plan } = entry
  const { images } = parts.tools(plan)
  const ended = new AbortController()
  const stop = AbortSignal.any([cancel, leave])
  if (entry.failure === undefined && entry.cancel === undefined)
    prefetch(images, plan, AbortSignal.any([stop, ended.signal]))
  const leaveConsole = parts.attend(plan.node)
  try {
    await carryOut(parts, entry, stop, leave)
  } finally {
    leaveConsole()
    ended.abort(new Stopped('the plan has ended'))
  }
  if (parts.journal.get(plan.id)?.state === 'open') return
  await parts.ledger.durable() // before the files are gone that it would need to go on
  await images.release(plan.id)
}

async function carryOut(parts: PlanParts, entry: Entry, stop: AbortSignal, leave: AbortSignal): Promise<void> {
  const { ledger, journal, log } = parts
  const { plan } = entry
  const facts = { node: plan.node, plan: plan.id, kind: plan.kind }
  if (entry.failure === undefined) {
    try {
      if (entry.cancel !== undefined) throw new Stopped(entry.cancel)
      while (entry.step < plan.steps.length) {
        stop.throwIfAborted()
        await runStep(parts, entry, plan.steps[entry.step]!, stop)
      }
      leave.throwIfAborted()
      ledger.soon(() => close(parts, entry, 'done', null))
      log.info({ ...facts, seconds: entry.seconds }, 'plan done')
      return
    } catch (error) {
      if (leave.aborted || superseded(parts, plan)) return
      if (!(error instanceof HardwareError) && !(error instanceof Stopped))
        log.error({ ...facts, error: (error as Error).stack }, 'step failed unexpectedly')
      const step = plan.steps[entry.step]
      entry.failure = error instanceof Stopped || !step ? sentence(error) : `${stepName(step)}: ${sentence(error)}`
      entry.stepStarted = undefined
      journal.save(entry)
      parts.crashPoint(`failure of ${plan.kind} journalled`)
    }
  }
  await cleanUp(parts, entry, leave)
  if (leave.aborted || superseded(parts, plan)) return
  ledger.transaction(() => close(parts, entry, 'failed', entry.failure!))
  log.warn({ ...facts, error: entry.failure }, 'plan failed')
}

async function runStep(parts: PlanParts, entry: Entry, step: Step, stop: AbortSignal): Promise<void> {
  const { clock, journal, ledger, crashPoint } = parts
  if (!entry.stepStarted) {
    entry.stepStarted = clock.now()
    entry.memo = {}
    ledger.soon(() => report(parts, entry, phaseOf(step), stepName(step)))
  }
  // That the step before is over, and that this one has begun, is known before anything is done to the machine.
  await ledger.durable()
  crashPoint(`before ${stepName(step)}`)
  if (parts.logs.when === 'always' && stepName(step) === 'deploy.tear_down_agent')
    await parts.logs.keep(
      contextOf(parts, entry, step, () => {}),
      stop,
    )
  let last: string | undefined
  await attempt(
    step,
    contextOf(parts, entry, step, (note) => (last = note)),
    stop,
    () => last,
  )
  crashPoint(`after ${stepName(step)}`)
  // The wall clock may have been set back meanwhile.
  entry.seconds.push(Math.max(0, clock.now().getTime() - entry.stepStarted.getTime()) / 1000)
  entry.step += 1
  entry.stepStarted = undefined
  entry.memo = {}
  ledger.soon(() => journal.save(entry))
  crashPoint(`${stepName(step)} journalled`)
}

/** Best effort, in order: what can't be done is logged; the first error stays the one that people are told. */
async function cleanUp(parts: PlanParts, entry: Entry, leave: AbortSignal): Promise<void> {
  const [first] = entry.plan.on_failure
  // Before the machine is switched off, which ends its ramdisk.
  if (first && parts.logs.when !== 'never')
    await parts.logs.keep(
      contextOf(parts, entry, first, () => {}),
      leave,
    )
  for (const step of entry.plan.on_failure) {
    if (leave.aborted) return
    const on = { ...contextOf(parts, entry, step, () => {}), started: parts.clock.now(), note: () => {} }
    await attempt(step, on, leave, () => undefined).catch((error: unknown) => {
      parts.log.warn(
        { node: entry.plan.node, step: stepName(step), error: sentence(error) },
        'clean-up after a failure failed',
      )
    })
  }
}

function superseded(parts: PlanParts, plan: Plan): boolean {
  return generationOf(parts.ledger, plan.node, plan.lane) > plan.generation
}
