import type { z } from 'zod'
import { stepArguments, type StepName } from '../../contract/step-arguments.ts'
import { stepName, type Step } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { StepContext, StepRunner } from './step.ts'
import { steps } from './steps/table.ts'

/** The plan is to stop: superseded, cancelled, or the appliance is going down. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** What a step gets in each life of the appliance, even if its deadline passed while the appliance was away. */
const LEAST_MS = 60_000

class DeadlinePassed extends Error {}

/** Runs one step until it ends, its deadline passes, or `stop` is aborted. Rejects with HardwareError or Stopped; anything else is a bug. */
export async function attempt(
  step: Step,
  context: Omit<StepContext, 'signal' | 'deadline'>,
  stop: AbortSignal,
  lastNote: () => string | undefined,
): Promise<void> {
  const ms = step.deadline_seconds * 1000
  const least = context.clock.now().getTime() + Math.min(ms, LEAST_MS)
  const deadline = new Date(Math.max(context.started.getTime() + ms, least))
  const late = new AbortController()
  const done = new AbortController()
  const signal = AbortSignal.any([stop, late.signal])
  void expire(context.clock, deadline, done.signal, late)
  try {
    await run(step, { ...context, signal, deadline })
  } catch (error) {
    if (stop.aborted) throw new Stopped(sentence(stop.reason))
    if (late.signal.aborted) {
      const note = lastNote()
      throw new HardwareError(
        error instanceof HardwareError
          ? sentence(error)
          : `${stepName(step)} did not end within ${step.deadline_seconds} s${note ? `; last: ${note}` : ''}`,
      )
    }
    throw error
  } finally {
    done.abort(new Stopped('the step has ended'))
  }
}

async function run(step: Pick<Step, 'interface' | 'step' | 'args'>, on: StepContext): Promise<void> {
  const name = stepName(step)
  if (!isStepName(name)) throw new HardwareError(`this appliance does not know the step ${name}: update it`)
  const args = stepArguments[name].safeParse(step.args)
  if (!args.success)
    throw new HardwareError(`the arguments of ${name} are not understood: ${args.error.issues[0]?.message}`)
  if (name === 'plan.on_node') return runOnNode(stepArguments[name].parse(step.args), on)
  await (steps[name] as StepRunner<typeof name>)(args.data as never, on)
}

/** As if the plan were about that node. */
function runOnNode({ node, ...what }: z.infer<(typeof stepArguments)['plan.on_node']>, on: StepContext): Promise<void> {
  return run(what, { ...on, ...on.onRelative(node) })
}

function isStepName(name: string): name is StepName {
  return Object.hasOwn(stepArguments, name)
}

async function expire(clock: Clock, deadline: Date, ended: AbortSignal, late: AbortController): Promise<void> {
  // A little after the step's own view of its deadline, so that a step that watches it can say more than we can.
  const ms = Math.max(0, deadline.getTime() - clock.now().getTime()) + 2000
  await clock.sleep(ms, ended).then(
    () => late.abort(new DeadlinePassed('deadline passed')),
    () => {},
  )
}
