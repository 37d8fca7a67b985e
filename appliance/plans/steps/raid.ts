import { type LogicalDisk, raidConfig } from '../../../contract/raid.ts'
import { type Bmc, requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
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
  on.note('deleting RAID volumes')
  await requireMore(bmc, on.plan.machine.driver, 'deleteVolumes')()
  await tellRaid(on, bmc)
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
    on.note('deleting RAID volumes')
    await requireMore(bmc, driver, 'deleteVolumes')()
    on.memo.set('deleted', 'yes')
  }
  on.note('creating RAID volumes')
  try {
    await requireMore(bmc, driver, 'createVolumes')(wanted)
  } finally {
    await tellRaid(on, bmc)
  }
}

async function tellRaid(on: StepContext, bmc: Bmc): Promise<void> {
  const raid_config = await requireMore(bmc, on.plan.machine.driver, 'readRaid')()
  on.read({ read_at: on.clock.now().toISOString(), raid_config })
}
