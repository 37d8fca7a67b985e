import { basename } from 'node:path'
import type { NodeParam } from '../../contract/agent.ts'
import { openDisk, partitionPath, showTable } from '../disks/device.ts'
import { GiB, type Disk } from '../disks/disk.ts'
import { erasable } from '../disks/erase-many.ts'
import { eraseMetadata, partsOf, type EraseMeans } from '../disks/erase.ts'
import { partitionsOf, raidType } from '../disks/gpt.ts'
import { layOut } from '../disks/lay-out.ts'
import { readGpt, writeNewTable } from '../disks/table.ts'
import { reason } from '../log.ts'
import type { Arrays } from './arrays.ts'
import { planArrays, type Firmware, type PlannedArray } from './layout.ts'
import { createArray, forgetMember, stopArray } from './mdadm.ts'
import { refused, wantedArrays } from './wanted.ts'

export interface RaidMeans extends EraseMeans {
  arrays: Arrays
  firmware: Firmware
}

/** Makes the arrays, and tells them as Ironic's raid_config does. Those that are there already are left as they are. */
export async function createArrays(
  config: unknown,
  node: NodeParam,
  means: RaidMeans,
): Promise<Record<string, unknown>> {
  const all = erasable(await means.arrays.all(), node)
  const wanted = wantedArrays(
    config,
    all.filter(({ members }) => members === undefined),
  )
  const { holders, arrays } = planArrays(wanted, means.firmware)
  const is = (array: PlannedArray) => (disk: Disk) =>
    disk.volume_name === array.name && disk.members?.join() === paths(array).toSorted().join()
  if (!arrays.every((array) => all.some(is(array)))) {
    for (const { disk } of holders) await refuseUsed(disk, means)
    try {
      for (const { disk, partitions } of holders) await partition(disk, layOut(disk, partitions).table, means)
      for (const array of arrays)
        await createArray({ ...array, device: await freeDevice(means), members: paths(array) })
    } catch (error) {
      means.log.error('software RAID failed: taking it back', { because: reason(error) })
      await blank(
        holders.map(({ disk }) => disk.name),
        means,
      )
      throw error
    }
  }
  const made = await means.arrays.all()
  means.log.info('software RAID', { arrays: arrays.map(({ name }) => name) })
  return {
    logical_disks: arrays.map((array, index) => ({
      controller: 'software',
      volume_name: array.name,
      raid_level: array.level,
      size_gb: Math.floor((made.find(is(array))?.size ?? 0) / GiB),
      physical_disks: wanted[index]?.disks.map(({ name }) => name) ?? [],
    })),
  }
}

/** Ends every array but those that skip_block_devices spares, and leaves the disks blank that were theirs alone. */
export async function deleteArrays(node: NodeParam, means: RaidMeans): Promise<void> {
  await end(erasable(await means.arrays.all(), node), means)
  for (const disk of erasable(await means.arrays.all(), node))
    if (disk.members === undefined && disk.holds === undefined && (await isHolder(disk)))
      await eraseMetadata(disk, means)
}

/** What half a creation left on disks that were blank before. */
async function blank(names: readonly string[], means: RaidMeans): Promise<void> {
  const all = await means.arrays.all()
  const arrays = new Set(all.flatMap(({ name, holds = [] }) => (names.includes(name) ? holds : [])))
  await end(
    all.filter(({ name }) => arrays.has(name)),
    means,
  )
  for (const disk of await means.arrays.all()) if (names.includes(disk.name)) await eraseMetadata(disk, means)
}

async function end(disks: readonly Disk[], { log }: RaidMeans): Promise<void> {
  for (const { name, members, volume_name } of disks) {
    if (members === undefined) continue
    await stopArray(name)
    for (const member of members) await forgetMember(member)
    log.info('array deleted', { array: volume_name ?? name })
  }
}

function paths({ members }: PlannedArray): string[] {
  return members.map(({ disk, number }) => partitionPath(disk.name, number))
}

async function refuseUsed(disk: Disk, { sysfs }: RaidMeans): Promise<void> {
  const parts = await partsOf(disk, sysfs)
  if (disk.holds === undefined && parts.length === 0) return
  const what = disk.holds ? `is part of ${disk.holds.join(' and ')}` : `has ${parts.length} partitions`
  throw refused(`${disk.name} ${what}: run raid.delete_configuration or deploy.erase_devices_metadata before`)
}

async function partition(disk: Disk, table: Parameters<typeof writeNewTable>[2], { clock }: RaidMeans): Promise<void> {
  const handle = await openDisk(disk.name)
  try {
    await writeNewTable(handle, disk, table)
  } finally {
    await handle.close()
  }
  await showTable(disk.name, clock)
}

/** Numbers count up from 0; what was assembled under a name has those that count down from 127. */
async function freeDevice({ arrays }: RaidMeans): Promise<string> {
  const taken = new Set((await arrays.all()).map(({ name }) => basename(name)))
  const free = Array.from({ length: 127 }, (_, number) => `md${number}`).find((name) => !taken.has(name))
  return `/dev/${free ?? 'md0'}`
}

/** By its table, for an array that lacks too many of its disks isn't there. */
async function isHolder(disk: Disk): Promise<boolean> {
  const handle = await openDisk(disk.name)
  try {
    const table = await readGpt(handle, disk)
    return table !== undefined && partitionsOf(table).some(({ type }) => type === raidType)
  } catch {
    return false // A table that can't be read is none of ours.
  } finally {
    await handle.close()
  }
}
