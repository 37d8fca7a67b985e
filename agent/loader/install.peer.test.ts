import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { realClock } from '../clock.ts'
import { openDisk, showTable } from '../disks/device.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { layOut } from '../disks/lay-out.ts'
import { loopDisk, temporaryFolder, tool } from '../disks/loop-disk.ts'
import { writeNewTable } from '../disks/table.ts'
import { planArrays, type Firmware } from '../raid/layout.ts'
import { wantedArrays } from '../raid/wanted.ts'
import { installLoaders } from './install.ts'

/** Loaders on the disks of an array. What they need of the array is that it can be read: a disk of its own here. */

/** A whole-disk image, as an array would bear it: an EFI system partition, and a root with a menu. */
function imageOnArray(): Disk {
  const disk = loopDisk(64 * MiB)
  const folder = join(temporaryFolder(), 'root')
  mkdirSync(join(folder, 'boot/grub'), { recursive: true })
  writeFileSync(join(folder, 'boot/grub/grub.cfg'), 'linux /boot/vmlinuz\n')
  const loader = join(folder, 'BOOTX64.EFI')
  writeFileSync(loader, 'the loader')
  tool('sgdisk', '-n', '1:0:+20M', '-t', '1:ef00', '-n', '2:0:0', disk.name)
  tool('partx', '--update', disk.name)
  tool('mkfs.vfat', `${disk.name}p1`)
  tool('mmd', '-i', `${disk.name}p1`, '::/EFI', '::/EFI/BOOT')
  tool('mcopy', '-i', `${disk.name}p1`, loader, '::/EFI/BOOT/BOOTX64.EFI')
  tool('mke2fs', '-q', '-t', 'ext4', '-d', folder, `${disk.name}p2`)
  return { ...disk, members: ['a', 'b'] }
}

/** Two disks, divided as those of an array are. */
async function holdersOf(array: Disk, firmware: Firmware): Promise<Disk[]> {
  const disks = [loopDisk(300 * MiB), loopDisk(300 * MiB)]
  const wanted = wantedArrays({ logical_disks: [{ size_gb: 'MAX', raid_level: '1', controller: 'software' }] }, disks)
  for (const { disk, partitions } of planArrays(wanted, firmware).holders) {
    const handle = await openDisk(disk.name)
    await writeNewTable(handle, disk, layOut(disk, partitions).table)
    await handle.close()
    await showTable(disk.name, realClock)
    expect(tool('sgdisk', '-v', disk.name)).toContain('No problems found')
  }
  return disks.map((disk) => ({ ...disk, holds: [array.name] }))
}

it('each has the EFI system partition of the image', async () => {
  const disk = imageOnArray()
  const holders = await holdersOf(disk, 'uefi')
  expect(await installLoaders({ disk, holders, kernelArguments: '' }, true)).toEqual(
    holders.map((holder) => ({ disk: holder, esp: 1 })),
  )
  for (const { name } of holders) expect(tool('mtype', '-i', `${name}p1`, '::/EFI/BOOT/BOOTX64.EFI')).toBe('the loader')
})

it('each has a GRUB that a BIOS starts, and keeps its partitions', async () => {
  const disk = imageOnArray()
  const holders = await holdersOf(disk, 'bios')
  expect(await installLoaders({ disk, holders, kernelArguments: '' }, false)).toEqual([])
  for (const { name } of holders) {
    expect(readFileSync(name).toString('latin1', 0, 512)).toContain('GRUB')
    expect(readFileSync(`${name}p1`).readBigUInt64LE(500)).toBe(2049n)
    expect(tool('sgdisk', '-v', name)).toContain('No problems found')
  }
})
