import { z } from 'zod'

/** What a target RAID configuration may say (Ironic's schema of logical disks). */

const levels = ['JBOD', '0', '1', '2', '5', '6', '1+0', '5+0', '6+0'] as const
const count = z.int().positive()
const logicalDisk = z.strictObject({
  size_gb: z.union([count, z.literal('MAX')]),
  raid_level: z.enum(levels),
  is_root_volume: z.boolean().optional(),
  share_physical_disks: z.boolean().optional(),
  disk_type: z.enum(['hdd', 'ssd']).optional(),
  interface_type: z.enum(['sata', 'scsi', 'sas']).optional(),
  number_of_physical_disks: count.optional(),
  volume_name: z.string().max(255).optional(),
  controller: z.string().max(255).optional(),
  physical_disks: z
    .union([z.array(z.string().max(255)).max(256), z.array(z.record(z.string().max(255), z.unknown())).max(256)])
    .optional(),
})

export type LogicalDisk = z.infer<typeof logicalDisk>

export const raidConfig = z.union([
  z.strictObject({}),
  z.strictObject({
    logical_disks: z
      .array(logicalDisk)
      .min(1)
      .max(256)
      .refine((disks) => disks.filter((disk) => disk.is_root_volume).length <= 1, 'there can be only one root volume'),
  }),
])

export const logicalDiskProperties: Readonly<Record<keyof z.infer<typeof logicalDisk>, string>> = {
  size_gb: 'Size in GiB (Integer) for the logical disk. Use "MAX" for all the space that is left. Required.',
  raid_level: `RAID level for the logical disk. Valid values are ${levels.join(', ')}. Required.`,
  is_root_volume: 'Whether this is the disk that the image is written to. One at most. Optional.',
  share_physical_disks: 'Whether its physical disks may hold other logical disks too. Default: false.',
  disk_type: 'Type of the physical disks: hdd or ssd. Optional.',
  interface_type: 'Interface of the physical disks: sata, scsi or sas. Optional.',
  number_of_physical_disks: 'How many physical disks to use. Default: the fewest that the level needs.',
  volume_name: 'Name of the volume. Default: made up by the controller.',
  controller: 'Name of the RAID controller, as the RAID interface reads it. Optional.',
  physical_disks: 'The physical disks to use, as the RAID interface names them. Optional.',
}
