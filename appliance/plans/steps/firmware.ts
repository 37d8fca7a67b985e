import { requireMore } from '../../drivers/bmc.ts'
import type { StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { tellHardware } from './management.ts'
import { awaitMachine, rest, restartMachine } from './restart.ts'

/** One component after the other, each to its end. The BMC restarts itself with its own; the others count from the machine's next start. */
export const updateFirmware: StepRunner<'firmware.update'> = async ({ settings }, on) => {
  if (isFake(on, 'firmware')) return pause(on, 'firmware')
  const bmc = await on.bmc()
  const update = requireMore(bmc, on.plan.machine.driver, 'updateFirmware')
  for (const [index, { component, url }] of settings.entries()) {
    if (on.memo.get(`updated ${index}`) === undefined) {
      on.note(`updating the firmware of ${component}`)
      await update(component, url, (percent) =>
        on.note(`updating the firmware of ${component}`, ((index + percent / 100) / settings.length) * 100),
      )
      on.memo.set(`updated ${index}`, 'yes')
    }
    if (component !== 'bmc') await restartMachine(on, bmc, `restarted ${index}`)
    on.note(`waiting for the BMC after the update of ${component}`)
    const answers = async (): Promise<boolean> => (await bmc.power()) !== undefined
    await awaitMachine(on, answers, `the BMC does not answer after the update of ${component}`)
  }
  await rest(on, bmc)
  await tellHardware(on, bmc)
}
