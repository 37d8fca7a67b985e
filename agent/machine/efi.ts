import { access, mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDisk, readAt } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { espType, partitionsOf } from '../disks/gpt.ts'
import { parseMbr } from '../disks/mbr.ts'
import { readGpt } from '../disks/table.ts'
import { CommandFailure } from '../failure.ts'
import { hasProgram, run } from '../programs.ts'
import { chooseLoader, entriesLabelled, type Loader } from './loader.ts'

const firmware = '/sys/firmware/efi'
const variables = '/sys/firmware/efi/efivars'
const espTypeOfMbr = 0xef

export async function isUefi(): Promise<boolean> {
  return access(firmware).then(
    () => true,
    () => false,
  )
}

/** Tells UEFI firmware to boot this disk's loader first. A BIOS needs no telling: it runs the first sector. */
export async function installBootEntry(disk: Disk): Promise<string> {
  if (!(await isUefi())) return 'booted by BIOS: the image brings its own boot sector, nothing was installed'
  const esp = await espOf(disk)
  if (esp === undefined) throw failed(`${disk.name} has no EFI system partition; the image cannot boot by UEFI`)
  const loader = await loaderOn(partitionPath(disk.name, esp))
  if (!(await mountVariables()))
    return `the firmware's variables cannot be written; it will find ${loader.path} only if that is its default path`
  if (!(await hasProgram('efibootmgr'))) throw failed('the ramdisk has no efibootmgr')
  const listed = (await run('efibootmgr', [], 60)).toString('utf8')
  for (const entry of entriesLabelled(listed, loader.label)) await run('efibootmgr', ['-b', entry, '-B'], 60)
  await run('efibootmgr', ['-c', '-d', disk.name, '-p', String(esp), '-L', loader.label, '-l', loader.path], 60)
  return `boot entry "${loader.label}" for ${loader.path} on partition ${esp} of ${disk.name}`
}

async function espOf(disk: Disk): Promise<number | undefined> {
  const handle = await openDisk(disk.name)
  try {
    const table = await readGpt(handle, disk)
    if (table) return partitionsOf(table).find(({ type }) => type === espType)?.number
    const record = parseMbr(await readAt(handle, 0, disk.sector))
    return record?.find(({ type }) => type === espTypeOfMbr)?.number
  } finally {
    await handle.close()
  }
}

/** /dev/sda and 1 make /dev/sda1; names that end in a digit need a p between. */
export function partitionPath(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`
}

async function loaderOn(partition: string): Promise<Loader> {
  const folder = await mkdtemp(join(tmpdir(), 'esp-'))
  try {
    await run('mount', ['-t', 'vfat', '-o', 'ro,nosuid,nodev,noexec', partition, folder], 60)
    try {
      const files = await readdir(folder, { recursive: true })
      const loader = await chooseLoader(files, process.arch, (file) => readFile(join(folder, file)))
      if (loader) return loader
      throw failed(`${partition} holds no boot loader for ${process.arch}: neither a BOOT*.CSV nor EFI/BOOT/BOOT*.EFI`)
    } finally {
      await run('umount', [folder], 60)
    }
  } finally {
    await rmdir(folder)
  }
}

async function mountVariables(): Promise<boolean> {
  const present = async () => (await readdir(variables).catch(() => [])).length > 0
  if (await present()) return true
  await run('mount', ['-t', 'efivarfs', 'efivarfs', variables], 30).catch(() => undefined)
  return present()
}

function failed(why: string): CommandFailure {
  return new CommandFailure('BootLoaderError', `no boot entry was made: ${why}`)
}
