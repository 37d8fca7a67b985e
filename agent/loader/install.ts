import { partitionPath } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { fileSystemOn } from '../disks/file-system.ts'
import { identityOf } from '../disks/identify.ts'
import { installForBios } from './bios.ts'
import { withAssets } from './efi-assets.ts'
import { makeEsp, putOn, withFilesOf } from './esp.ts'
import { bootFiles, type BootFiles } from './grub-config.ts'
import { bootCandidates, looking, unbootable } from './look.ts'

/** What was written, and where. */
export interface Installing {
  disk: Disk
  /** Of an array: the disks that it is made of, which firmware boots from. */
  holders: readonly Disk[]
  /** Of a partition image: the partition that it went to. */
  root?: number
  kernelArguments: string
}

/** Puts loaders where firmware finds them, for what brings none to there: partition images, and whatever is on an array. Tells the EFI
 * system partitions that the firmware should know of. */
export async function installLoaders(given: Installing, uefi: boolean): Promise<{ disk: Disk; esp: number }[]> {
  const { disk, holders, root, kernelArguments } = given
  const disks = holders.length > 0 ? holders : [disk]
  if (!uefi) {
    if (root !== undefined || holders.length > 0) await installForBios(disks, await bootFilesOf(given), kernelArguments)
    return []
  }
  const own = await espOf(disk)
  if (root === undefined && own === undefined)
    throw unbootable(`${disk.name} has no EFI system partition; the image cannot boot by UEFI`)
  if (root === undefined && holders.length === 0) return [{ disk, esp: own ?? 0 }]
  const places = await Promise.all(disks.map(async (each) => ({ disk: each, esp: await requiredEsp(each) })))
  const put = async (folder: string): Promise<void> => {
    for (const place of places) {
      const partition = partitionPath(place.disk.name, place.esp)
      await makeEsp(partition)
      await putOn(partition, folder)
    }
  }
  await (root === undefined
    ? withFilesOf(partitionPath(disk.name, own ?? 0), put)
    : withAssets(partitionPath(disk.name, root), kernelArguments, put))
  return places
}

async function bootFilesOf({ disk, root }: Installing): Promise<BootFiles> {
  const numbers = root === undefined ? (await identityOf(disk)).partitions.map(({ number }) => number) : [root]
  const partitions = numbers.length === 0 ? [disk.name] : numbers.map((number) => partitionPath(disk.name, number))
  for (const partition of partitions) {
    const system = await fileSystemOn(partition)
    const found = system && (await looking(partition, system, bootCandidates))
    const files = system && found && bootFiles(found, system.uuid)
    if (files) return files
  }
  throw unbootable(`no file system on ${partitions.join(', ')} has a menu of GRUB or a kernel in /boot`)
}

async function requiredEsp(disk: Disk): Promise<number> {
  const esp = await espOf(disk)
  if (esp !== undefined) return esp
  throw unbootable(`${disk.name} has no EFI system partition`)
}

async function espOf(disk: Disk): Promise<number | undefined> {
  return (await identityOf(disk)).partitions.find(({ isEsp }) => isEsp)?.number
}
