import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { ephemeralFormat, partitionImage, type PartitionImage } from '../../contract/partition-image.ts'
import type { Node } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { capabilities } from './boot-mode.ts'

/** Nova and older clients send numbers as text. */
const whole = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])
const asked = z.object({
  root_gb: whole,
  swap_mb: whole.nullish(),
  ephemeral_gb: whole.nullish(),
  ephemeral_format: ephemeralFormat.nullish(),
  preserve_ephemeral: boolean.nullish(),
  kernel_append_params: z.string().nullish(),
})

/** What instance_info says of partitions, where its image is one of a root file system (reference §4.4); undefined: it is of a whole disk.
 * UserError: what is missing or not possible. */
export function partitionsOf({
  instance_info: info,
  properties,
}: Pick<Node, 'instance_info' | 'properties'>): PartitionImage | undefined {
  if (!isPartitionImage(info)) return undefined
  const parsed = asked.safeParse(info)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UserError(400, `A partition image: instance_info/${issue?.path.join('/')}: ${issue?.message}.`)
  }
  const { root_gb, swap_mb, ephemeral_gb, ephemeral_format, preserve_ephemeral, kernel_append_params } = parsed.data
  const label =
    capabilities(info['capabilities'])['disk_label'] ?? capabilities(properties['capabilities'])['disk_label']
  const made = partitionImage.safeParse({
    root_mb: root_gb * 1024,
    swap_mb: swap_mb ?? 0,
    ephemeral_mb: (ephemeral_gb ?? 0) * 1024,
    ephemeral_format: ephemeral_format ?? null,
    preserve_ephemeral: preserve_ephemeral ?? false,
    disk_label: label ?? null,
    kernel_append_params: kernel_append_params?.replaceAll('%default%', '').trim() ?? '',
  })
  if (made.success) return made.data
  const [issue] = made.error.issues
  throw new UserError(400, `A partition image: ${issue?.path.join('/')}: ${issue?.message}.`)
}

/** Said, or, as Ironic has it, meant by a kernel and a ramdisk that are given beside it. The image boots by its own all the same. */
function isPartitionImage({ image_type: type, kernel, ramdisk }: Node['instance_info']): boolean {
  if (type === 'partition' || type === 'whole-disk') return type === 'partition'
  if (type !== undefined && type !== null && type !== '')
    throw new UserError(400, `image_type ${JSON.stringify(type)} is neither partition nor whole-disk.`)
  return Boolean(kernel) && Boolean(ramdisk)
}
