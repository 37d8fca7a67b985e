import { type BmcConfiguration, requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { tellHardware } from './management.ts'
import { readMold, saveMold } from './mold.ts'
import { awaitMachine, rest } from './restart.ts'

/** Dell's server configuration profiles, stored as Ironic stores them. */
const IMPLEMENTATION = 'idrac-redfish'

export const exportConfiguration: StepRunner<'management.export_configuration'> = async (
  { export_configuration_location: url },
  on,
) => saveTo(on, url)

export const importConfiguration: StepRunner<'management.import_configuration'> = async (
  { import_configuration_location: url },
  on,
) => {
  await importFrom(on, url)
  await settleDown(on)
}

export const importExportConfiguration: StepRunner<'management.import_export_configuration'> = async (args, on) => {
  await importFrom(on, args.import_configuration_location)
  await saveTo(on, args.export_configuration_location)
  await settleDown(on)
}

async function saveTo(on: StepContext, url: string): Promise<void> {
  on.note('exporting the configuration')
  const { configuration } = await profilesOf(on)
  await saveMold(url, IMPLEMENTATION, await configuration.export(), on.signal)
}

/** Once: after a crash the job that was begun is followed. */
async function importFrom(on: StepContext, url: string): Promise<void> {
  const { bmc, configuration } = await profilesOf(on)
  if (on.memo.get('job') === undefined) {
    const data = await readMold(url, IMPLEMENTATION, on.signal)
    if (on.memo.get('was') === undefined) on.memo.set('was', await bmc.power())
    on.note('importing the configuration; the machine restarts for it')
    on.agents.wipe(on.plan.node)
    on.memo.set('job', await configuration.beginImport(data))
  }
  await configuration.followImport(on.memo.get('job')!, (percent) =>
    on.note('importing the configuration; the machine restarts for it', percent),
  )
  const answers = async (): Promise<boolean> => (await bmc.power()) !== undefined
  await awaitMachine(on, answers, 'the BMC does not answer with its new configuration')
}

async function settleDown(on: StepContext): Promise<void> {
  const bmc = await on.bmc()
  await rest(on, bmc)
  await tellHardware(on, bmc)
}

async function profilesOf(on: StepContext) {
  const bmc = await on.bmc()
  const configuration: BmcConfiguration = requireMore(bmc, on.plan.machine.driver, 'configuration')
  return { bmc, configuration }
}
