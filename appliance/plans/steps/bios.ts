import type { BiosSetting } from '../../../contract/hardware-facts.ts'
import { requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { parts, tellHardware } from './management.ts'
import { awaitMachine, rest, restartMachine } from './restart.ts'

/** Settings count from the next start; they are read again after it, because firmware may refuse them in silence. */
export const applyConfiguration: StepRunner<'bios.apply_configuration'> = async ({ settings }, on) => {
  if (isFake(on, 'bios')) return imagine(on, settings)
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
  if (isFake(on, 'bios')) return imagine(on, [])
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

/** The settings of a firmware that is imagined are those that it was given last, and no others. */
async function imagine(on: StepContext, settings: ReadonlyArray<{ name: string; value: unknown }>): Promise<void> {
  await pause(on, 'bios')
  const read_at = on.clock.now().toISOString()
  const told = settings.map(({ name, value }): BiosSetting => ({ ...unknown, name, value: String(value) }))
  if (told.length === 0) on.read({ read_at, bios: [] })
  for (const part of parts(told)) on.read({ read_at, bios: part })
}

const unknown = {
  allowable_values: null,
  attribute_type: null,
  lower_bound: null,
  max_length: null,
  min_length: null,
  read_only: null,
  reset_required: null,
  unique: null,
  upper_bound: null,
}
