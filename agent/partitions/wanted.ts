import { z } from 'zod'
import type { ImageInfo } from '../../contract/agent.ts'
import { partitionImage } from '../../contract/partition-image.ts'
import { CommandFailure } from '../failure.ts'
import { roomOn } from '../disks/lay-out.ts'
import { MiB, type Disk } from '../disks/disk.ts'

/** Which partitions a partition image gets, by what image_info says under Ironic's keys (reference §6.5). Pure. */

export type Role = 'esp' | 'bios-boot' | 'ephemeral' | 'swap' | 'config-2' | 'root'
export interface WantedRole {
  role: Role
  size: number
}
export type Label = 'gpt' | 'msdos'
export interface Layout {
  label: Label
  /** In the order of the disk: the root is the last, for it may grow. */
  partitions: WantedRole[]
  ephemeralFormat: EphemeralFormat
  preserveEphemeral: boolean
  /** For its kernel, where it has no menu of its own. */
  kernelArguments: string
}

const mebibytes = z.coerce
  .number()
  .int()
  .min(0)
  .max(2 ** 32)
const formats = ['ext4', 'vfat'] as const
export type EphemeralFormat = (typeof formats)[number]
const asked = z.looseObject({
  root_mb: mebibytes.nullish(),
  root_gb: mebibytes.nullish(),
  swap_mb: mebibytes.nullish(),
  ephemeral_mb: mebibytes.nullish(),
  ephemeral_format: z.enum(formats).nullish(),
  preserve_ephemeral: z
    .union([z.boolean(), z.enum(['True', 'False', 'true', 'false']).transform((word) => /^t/i.test(word))])
    .nullish(),
  disk_label: z.enum(['gpt', 'msdos']).nullish(),
  kernel_append_params: partitionImage.shape.kernel_append_params.nullish(),
})

const espSize = 200 * MiB
const biosBootSize = MiB

export interface Ground {
  firmware: 'uefi' | 'bios'
  /** Bytes; 0 where there is none. */
  configDrive: number
}

export function wantedLayout(image: ImageInfo, disk: Disk, { firmware, configDrive }: Ground): Layout {
  const parsed = asked.safeParse(image)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw refused(image, `${issue?.path.join('.')}: ${issue?.message}`)
  }
  const {
    root_mb,
    root_gb,
    swap_mb,
    ephemeral_mb,
    ephemeral_format,
    preserve_ephemeral,
    disk_label,
    kernel_append_params,
  } = parsed.data
  const root = root_mb ?? (root_gb ?? 0) * 1024
  if (root === 0) throw refused(image, 'root_gb is not given, and must say how large its root partition shall be')
  // An array has loaders on the disks that it is made of.
  const isArray = disk.members !== undefined
  const label = disk_label ?? (firmware === 'uefi' || isArray ? 'gpt' : 'msdos')
  const boot: WantedRole[] =
    isArray || (firmware === 'bios' && label === 'msdos')
      ? []
      : [firmware === 'uefi' ? { role: 'esp', size: espSize } : { role: 'bios-boot', size: biosBootSize }]
  const all: WantedRole[] = [
    ...boot,
    { role: 'ephemeral', size: (ephemeral_mb ?? 0) * MiB },
    { role: 'swap', size: (swap_mb ?? 0) * MiB },
    { role: 'config-2', size: Math.ceil(configDrive / MiB) * MiB },
    { role: 'root', size: root * MiB },
  ]
  const partitions = all.filter(({ size }) => size > 0)
  if (label === 'msdos' && partitions.length > 4)
    throw refused(
      image,
      `it takes ${partitions.length} partitions, and an MBR has four: ask for capabilities disk_label:gpt`,
    )
  const total = partitions.reduce((sum, { size }) => sum + size, 0)
  if (total > roomOn(disk))
    throw refused(image, `its partitions take ${total / MiB} MiB, and ${disk.name} has ${roomOn(disk) / MiB}`)
  return {
    label,
    partitions,
    ephemeralFormat: ephemeral_format ?? 'ext4',
    kernelArguments: kernel_append_params ?? '',
    preserveEphemeral: preserve_ephemeral === true && (ephemeral_mb ?? 0) > 0,
  }
}

export function refused(image: Pick<ImageInfo, 'id'>, why: string): CommandFailure {
  return new CommandFailure('InvalidPartitions', `partition image ${image.id} can't be deployed: ${why}`, { code: 400 })
}
