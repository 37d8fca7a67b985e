import { access, mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { partitionPath } from '../disks/device.ts'
import { CommandFailure } from '../failure.ts'
import { installLoaders, type Installing } from '../loader/install.ts'
import { hasProgram, run } from '../programs.ts'
import { chooseLoader, entriesLabelled, type Loader } from './loader.ts'

const firmware = '/sys/firmware/efi'
const variables = '/sys/firmware/efi/efivars'

export async function isUefi(): Promise<boolean> {
  return access(firmware).then(
    () => true,
    () => false,
  )
}

/** Has the firmware boot what was written. A BIOS needs no telling: it runs the first sector. */
export async function installBoot(installing: Installing): Promise<string> {
  const { disk, holders, root } = installing
  const uefi = await isUefi()
  const places = await installLoaders(installing, uefi)
  if (!uefi)
    return root === undefined && holders.length === 0
      ? 'booted by BIOS: the image brings its own boot sector, nothing was installed'
      : `GRUB for BIOS on ${(holders.length > 0 ? holders : [disk]).map(({ name }) => name).join(', ')}`
  const said: string[] = []
  // The firmware puts the newest entry first: what is named first shall be.
  for (const place of places.toReversed())
    said.unshift(await recordEntry(place.disk.name, place.esp, holders.length > 0))
  return said.join('; ')
}

/** Of an array's disks each has an entry of its own. */
async function recordEntry(disk: string, esp: number, isHolder: boolean): Promise<string> {
  const loader = await loaderOn(partitionPath(disk, esp))
  const label = isHolder ? `${loader.label} (${basename(disk)})` : loader.label
  if (!(await mountVariables()))
    return `the firmware's variables cannot be written; it will find ${loader.path} only if that is its default path`
  if (!(await hasProgram('efibootmgr'))) throw failed('the ramdisk has no efibootmgr')
  const listed = (await run('efibootmgr', [], 60)).toString('utf8')
  for (const entry of entriesLabelled(listed, label)) await run('efibootmgr', ['-b', entry, '-B'], 60)
  await run('efibootmgr', ['-c', '-d', disk, '-p', String(esp), '-L', label, '-l', loader.path], 60)
  return `boot entry "${label}" for ${loader.path} on partition ${esp} of ${disk}`
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
