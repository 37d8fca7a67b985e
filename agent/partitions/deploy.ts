import { openDisk, partitionPath, showTable, wipeEnds, writeAt } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { beforehand, writeImage, type Progress, type WriteArguments } from '../image/deploy.ts'
import type { Downloading } from '../image/download.ts'
import { run } from '../programs.ts'
import { hasLayout, places, writeLayout, type Placed } from './table.ts'
import { refused, wantedLayout, type Ground, type Layout, type Role } from './wanted.ts'

export interface Deployed {
  said: string
  /** The partition that the image went to. */
  root: number
  kernelArguments: string
}

/** Gives a disk the partitions that were asked for, and its root the image. A loader is not part of it: install_bootloader is. */
export async function deployPartitions(
  wanted: WriteArguments,
  disk: Disk,
  firmware: Ground['firmware'],
  means: Downloading,
  progress: Progress,
): Promise<Deployed> {
  const image = wanted.image_info
  const { expected, drive } = await beforehand(wanted, means)
  const layout = wantedLayout(image, disk, { firmware, configDrive: drive?.length ?? 0 })
  const placed = places(layout)
  const pathOf = (role: Role): string =>
    partitionPath(disk.name, placed.find((each) => each.role === role)?.number ?? 0)
  await partition(disk, layout, placed, image)
  await showTable(disk.name, means.clock)
  for (const { role } of placed) await makeReady(role, pathOf(role), layout)
  const size = placed.find(({ role }) => role === 'root')?.size ?? 0
  const root = pathOf('root')
  await withDevice(root, (handle) => writeImage(image, expected, { handle, name: root, size }, means, progress))
  if (drive) await withDevice(pathOf('config-2'), (handle) => writeAt(handle, 0, drive))
  means.log.info('image in place', {
    image: image.id,
    disk: disk.name,
    label: layout.label,
    root,
    drive: drive?.length ?? 0,
  })
  return {
    said: `image (${image.id}) written to partition ${root}`,
    root: placed.length,
    kernelArguments: layout.kernelArguments,
  }
}

async function partition(
  disk: Disk,
  layout: Layout,
  placed: readonly Placed[],
  image: WriteArguments['image_info'],
): Promise<void> {
  await withDevice(disk.name, async (handle) => {
    if (layout.preserveEphemeral) {
      if (!(await hasLayout(handle, disk, layout)))
        throw refused(
          image,
          `its ephemeral partition is to be kept, and the partitions of ${disk.name} are others than asked for now`,
        )
    } else {
      await wipeEnds(handle, 0, disk.size)
      await writeLayout(handle, disk, layout)
    }
    const kept = layout.preserveEphemeral ? 'ephemeral' : undefined
    for (const { role, offset, size } of placed) if (role !== kept) await wipeEnds(handle, offset, size)
  })
}

async function makeReady(role: Role, path: string, { ephemeralFormat, preserveEphemeral }: Layout): Promise<void> {
  if (role === 'swap') await run('mkswap', ['-L', 'swap1', path], 120)
  if (role !== 'ephemeral' || preserveEphemeral) return
  if (ephemeralFormat === 'vfat') await run('mkfs.vfat', ['-n', 'EPHEMERAL0', path], 600)
  else await run('mkfs.ext4', ['-q', '-F', '-L', 'ephemeral0', path], 1800)
}

async function withDevice(
  path: string,
  use: (handle: Awaited<ReturnType<typeof openDisk>>) => Promise<void>,
): Promise<void> {
  const handle = await openDisk(path)
  try {
    await use(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
