import { z } from 'zod'
import { type LogicalDisk, raidConfig } from '../../../contract/raid.ts'
import { type Bmc, type BmcRaidPreparation, type RaidJob, requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { rest, restartMachine } from './restart.ts'
import { createSoftwareRaid, deleteSoftwareRaid } from './software-raid.ts'

/** Makes the volumes of target_raid_config; those that are there under their name are left, so that twice is once. */
export const createRaid: StepRunner<'raid.create_configuration'> = async (
  { create_root_volume: root = true, create_nonroot_volumes: others = true, delete_existing: deletes = false },
  on,
) => {
  if (isFake(on, 'raid')) return pause(on, 'raid')
  const all = volumesOf(on.plan.machine.target_raid_config ?? {})
  if (all.length === 0) throw new HardwareError('the node has no target_raid_config: set it first (states/raid)')
  const wanted = all.filter((disk) => (disk.is_root_volume ? root : others))
  if (bySoftware(on)) return createSoftwareRaid(on, wanted, deletes)
  return createVolumes(on, wanted, deletes)
}

/** The same for what the step itself says. */
export const applyRaid: StepRunner<'raid.apply_configuration'> = async (
  { raid_config: wanted, delete_existing: deletes },
  on,
) => {
  if (isFake(on, 'raid')) return pause(on, 'raid')
  const disks = volumesOf(wanted)
  if (disks.length === 0) throw new HardwareError('raid_config has no logical_disks: name at least one')
  return bySoftware(on) ? createSoftwareRaid(on, disks, deletes) : createVolumes(on, disks, deletes)
}

export const deleteRaid: StepRunner<'raid.delete_configuration'> = async (_args, on) => {
  if (isFake(on, 'raid')) return pause(on, 'raid')
  if (bySoftware(on)) return deleteSoftwareRaid(on)
  const bmc = await on.bmc()
  await deleteVolumes(on, bmc)
  await tellRaid(on, bmc)
  await rest(on, bmc)
}

function bySoftware(on: StepContext): boolean {
  return on.plan.machine.interfaces['raid'] === 'agent'
}

function volumesOf(config: object): LogicalDisk[] {
  const parsed = raidConfig.safeParse(config)
  return parsed.data && 'logical_disks' in parsed.data ? parsed.data.logical_disks : []
}

async function createVolumes(on: StepContext, wanted: LogicalDisk[], deletes: boolean): Promise<void> {
  const { driver } = on.plan.machine
  const bmc = await on.bmc()
  if (deletes && on.memo.get('deleted') === undefined) {
    await deleteVolumes(on, bmc)
    on.memo.set('deleted', 'yes')
  }
  if (ofIdrac(on))
    await prepare(on, bmc, 'drives', 'bringing drives under RAID', (controllers) => controllers.drivesToRaid(wanted))
  on.note('creating RAID volumes')
  try {
    await requireMore(bmc, driver, 'createVolumes')(wanted)
  } finally {
    await tellRaid(on, bmc)
  }
  await rest(on, bmc)
}

/** Ironic's `idrac-redfish` then clears what disks brought along from other machines, and has controllers in RAID mode. */
async function deleteVolumes(on: StepContext, bmc: Bmc): Promise<void> {
  on.note('deleting RAID volumes')
  await requireMore(bmc, on.plan.machine.driver, 'deleteVolumes')()
  if (!ofIdrac(on)) return
  await prepare(on, bmc, 'foreign', 'clearing foreign RAID configurations', (controllers) => controllers.clearForeign())
  await prepare(on, bmc, 'mode', 'bringing controllers into RAID mode', (controllers) =>
    controllers.controllersToRaid(),
  )
}

function ofIdrac(on: StepContext): boolean {
  return on.plan.machine.interfaces['raid'] === 'idrac-redfish'
}

const jobs = z.array(z.object({ path: z.string(), restarts: z.boolean() }))

/** Begins jobs once: after a crash those that were begun are followed. */
async function prepare(
  on: StepContext,
  bmc: Bmc,
  name: string,
  note: string,
  begin: (controllers: BmcRaidPreparation) => Promise<RaidJob[]>,
): Promise<void> {
  const controllers = requireMore(bmc, on.plan.machine.driver, 'raidPreparation')
  on.note(note)
  const journalled = on.memo.get(name)
  const begun = journalled === undefined ? await begin(controllers) : jobs.parse(JSON.parse(journalled))
  on.memo.set(name, JSON.stringify(begun))
  if (begun.some(({ restarts }) => restarts)) await restartMachine(on, bmc, `restarted for ${name}`)
  for (const job of begun) await controllers.follow(job)
}

async function tellRaid(on: StepContext, bmc: Bmc): Promise<void> {
  const raid_config = await requireMore(bmc, on.plan.machine.driver, 'readRaid')()
  on.read({ read_at: on.clock.now().toISOString(), raid_config })
}
