import { poll } from '../../clock.ts'
import type { Bmc } from '../../drivers/bmc.ts'
import { setPower } from '../../power/change.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext } from '../step.ts'
import { powerWait } from './power.ts'

const LOOK_MS = 15_000

/** What was changed counts from the machine's next start, so it is started: once, also when the appliance dies meanwhile. One that was
 * off works by itself then; `rest` switches it off again. */
export async function restartMachine(on: StepContext, bmc: Bmc, memo = 'restarted'): Promise<void> {
  if (on.memo.get(memo) !== undefined) return
  const was = await bmc.power()
  if (on.memo.get('was') === undefined) on.memo.set('was', was)
  on.note('restarting the machine')
  on.agents.wipe(on.plan.node)
  await setPower(bmc, was === 'power on' ? 'rebooting' : 'power on', powerWait(on))
  on.observed({ power: 'power on' })
  on.memo.set(memo, 'yes')
}

export async function rest(on: StepContext, bmc: Bmc): Promise<void> {
  if (on.memo.get('was') !== 'power off' || on.power.staysOn) return
  on.observed({ power: await setPower(bmc, 'power off', powerWait(on)) })
}

/** Until `done`, or `late` at the step's deadline. A BMC that doesn't answer meanwhile is asked again. */
export async function awaitMachine(on: StepContext, done: () => Promise<boolean>, late: string): Promise<void> {
  let last = ''
  const reached = await poll(on.clock, { until: on.deadline, everyMs: LOOK_MS, signal: on.signal }, async () => {
    try {
      return (await done()) || undefined
    } catch (error) {
      if (!(error instanceof HardwareError)) throw error
      last = `; the BMC: ${sentence(error)}`
      return undefined
    }
  })
  if (!reached) throw new HardwareError(`${late}${last}`)
}
