import { z } from 'zod'

/** An image of a root file system alone: the agent makes the partitions around it. Names are those of Ironic's image_info (reference §6.5). */

const mebibytes = z
  .int()
  .min(0)
  .max(2 ** 30)
export const ephemeralFormat = z.enum(['ext4', 'vfat'])

export const partitionImage = z.strictObject({
  root_mb: mebibytes.positive(),
  swap_mb: mebibytes,
  ephemeral_mb: mebibytes,
  ephemeral_format: ephemeralFormat.nullable(),
  /** What is on the ephemeral partition stays, if the partitions are as they were. */
  preserve_ephemeral: z.boolean(),
  /** Null: as the firmware likes it. */
  disk_label: z.enum(['gpt', 'msdos']).nullable(),
  /** For the image's kernel, where the image has no menu of its own: it goes into a command of GRUB. */
  kernel_append_params: z
    .string()
    .max(2000)
    .regex(/^[\x20-\x7e]*$/)
    .refine((text) => !/[$'"\\`;|&<>{}]/.test(text)),
})
export type PartitionImage = z.infer<typeof partitionImage>
