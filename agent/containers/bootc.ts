import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandProgress } from '../../contract/agent.ts'
import type { Container } from '../../contract/container.ts'
import { openDisk, showTable, wipeEnds, writeAt } from '../disks/device.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { fitTable, placeForConfigDrive } from '../disks/table.ts'
import { CommandFailure } from '../failure.ts'
import { decodeConfigDrive } from '../image/config-drive.ts'
import type { Downloading } from '../image/download.ts'
import { run } from '../programs.ts'
import { makeLayout } from './layout.ts'
import { unpackLayers } from './unpack.ts'

/** A container that boots, installed by its own bootc: how a system of its kind is laid out on a disk is known to that program alone. It runs
 * as root with every device of the machine, as in a privileged container, and without any network: what it installs is there already. */

export interface BootcInstall {
  container: Container
  configdrive: string | undefined
  authorizedKeys: string | undefined
  tpm2Luks: boolean
  kernelArguments: readonly string[]
}

const INSTALL_SECONDS = 6600
/** For what bootc puts beside the root: ESP, /boot and a place for a BIOS. */
const BESIDE_ROOT = 1536 * MiB
const LAYOUT = '/run/bloomery/oci'
const KEYS = '/run/bloomery/authorized_keys'

/** $1 the unpacked container, $2 its layout; the rest is the command. Not as process 1, which bootc takes for a container without a host. */
const inside = `set -e
root=$1; layout=$2; shift 2
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/var/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
for each in run tmp var/tmp; do mount -t tmpfs tmpfs "$root/$each"; done
mkdir -p "$root${LAYOUT}"
mount --bind "$layout" "$root${LAYOUT}"
[ ! -e "$layout.keys" ] || cat "$layout.keys" > "$root${KEYS}"
chroot "$root" "$@"
exit $?`

export async function installByBootc(
  wanted: BootcInstall,
  disk: Disk,
  means: Downloading,
  progress: (progress: CommandProgress) => void,
): Promise<string> {
  const { container } = wanted
  if (means.imageKeys.length > 0)
    throw new CommandFailure(
      'InvalidImage',
      `container ${container.reference} is not signed by a key of this ramdisk, and only signed images are accepted here`,
    )
  const drive = wanted.configdrive === undefined ? undefined : await decodeConfigDrive(Buffer.from(wanted.configdrive))
  const folder = await mkdtemp(join(tmpdir(), 'container-'))
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=0700,size=95%', 'tmpfs', folder], 60)
  try {
    const [layout, root] = [join(folder, 'oci'), join(folder, 'root')]
    await makeLayout(container, layout, means, meter(container, means, progress))
    await mkdir(root)
    await unpackLayers(container, layout, root)
    if (wanted.authorizedKeys !== undefined) await writeFile(`${layout}.keys`, wanted.authorizedKeys, { mode: 0o600 })
    await blank(disk)
    means.log.info('bootc install', { image: container.reference, disk: disk.name })
    const words = bootcWords(wanted, disk, drive?.length)
    await run(
      'unshare',
      ['-m', '-n', '-p', '-f', '--propagation', 'private', 'sh', '-c', inside, 'sh', root, layout, ...words],
      INSTALL_SECONDS,
    )
  } finally {
    await run('umount', [folder], 120)
    await rmdir(folder)
  }
  if (drive) await placeDrive(disk, drive)
  await showTable(disk.name, means.clock)
  return `container (${container.reference}) installed to device ${disk.name}`
}

/** `bootc install to-disk`, by its manual page. */
export function bootcWords(wanted: BootcInstall, disk: Disk, drive: number | undefined): string[] {
  const { container, authorizedKeys, tpm2Luks, kernelArguments } = wanted
  const words = ['bootc', 'install', 'to-disk', '--wipe', '--skip-fetch-check', '--disable-selinux']
  words.push('--source-imgref', `oci:${LAYOUT}`, '--target-imgref', container.reference)
  return [
    ...words,
    ...(authorizedKeys === undefined ? [] : ['--root-ssh-authorized-keys', KEYS]),
    ...(tpm2Luks ? ['--block-setup', 'tpm2-luks'] : []),
    // Else the root takes all there is, and nothing else has a place.
    ...(drive === undefined ? [] : ['--root-size', `${rootSize(disk, drive)}M`]),
    ...kernelArguments.flatMap((word) => ['--karg', word]),
    disk.name,
  ]
}

function rootSize({ name, size }: Disk, drive: number): number {
  const mebibytes = Math.floor((size - BESIDE_ROOT - drive) / MiB)
  if (mebibytes > 0) return mebibytes
  throw new CommandFailure('ImageWriteError', `${name} has no room for a system and a config drive beside it`)
}

/** Nothing of what was there before boots, whatever becomes of the installation. */
async function blank(disk: Disk): Promise<void> {
  await using handle = await openDisk(disk.name)
  await wipeEnds(handle, 0, disk.size)
  await handle.sync()
}

async function placeDrive(disk: Disk, drive: Buffer): Promise<void> {
  await using handle = await openDisk(disk.name)
  await fitTable(handle, disk)
  await writeAt(handle, (await placeForConfigDrive(handle, disk, drive.length)).offset, drive)
  await handle.sync()
}

/** Of what is fetched; how far the installation itself is, bootc tells nobody. */
function meter(
  { manifest, config, layers }: Container,
  { clock }: Downloading,
  progress: (progress: CommandProgress) => void,
): (bytes: number) => void {
  const total = [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0)
  const began = clock.now()
  let bytes = 0
  return (more) => {
    bytes += more
    const seconds = Math.max(0.001, (clock.now() - began) / 1000)
    progress({
      percent: Math.floor((bytes / total) * 50),
      mb_per_second: Math.round(bytes / seconds / 100_000) / 10,
      bytes,
    })
  }
}
