import { requireMore } from '../../drivers/bmc.ts'
import type { StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { tellHardware } from './management.ts'
import { awaitMachine, rest, restartMachine } from './restart.ts'

/** Settings count from the next start; they are read again after it, because firmware may refuse them in silence. */
export const applyConfiguration: StepRunner<'bios.apply_configuration'> = async ({ settings }, on) => {
  if (isFake(on, 'bios')) return pause(on, 'bios')
  const { driver } = on.plan.machine
  const bmc = await on.bmc()
  const differences = requireMore(bmc, driver, 'biosDifferences')
  if (on.memo.get('set') === undefined) {
    on.note('comparing BIOS settings')
    if ((await differences(settings)).length === 0) return tellHardware(on, bmc)
    on.note('changing BIOS settings')
    await requireMore(bmc, driver, 'setBios')(settings)
    on.memo.set('set', 'yes')
  }
  await restartMachine(on, bmc)
  on.note('waiting for the firmware to take the BIOS settings')
  let left: string[] = []
  const names = settings.map(({ name }) => name).slice(0, 20)
  await awaitMachine(
    on,
    async () => (left = await differences(settings)).length === 0,
    `the machine was restarted, but these BIOS settings are not as asked: ${names.join(', ')}`,
  )
  if (left.length === 0) await rest(on, bmc)
  await tellHardware(on, bmc)
}

export const factoryReset: StepRunner<'bios.factory_reset'> = async (_args, on) => {
  if (isFake(on, 'bios')) return pause(on, 'bios')
  const bmc = await on.bmc()
  if (on.memo.get('set') === undefined) {
    on.note('resetting BIOS settings')
    await requireMore(bmc, on.plan.machine.driver, 'resetBios')()
    on.memo.set('set', 'yes')
  }
  await restartMachine(on, bmc)
  await awaitMachine(
    on,
    async () => (await bmc.power()) === 'power on',
    'the machine did not come back after its reset',
  )
  await rest(on, bmc)
  await tellHardware(on, bmc)
}
