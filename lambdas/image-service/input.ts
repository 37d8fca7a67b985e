import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type ImageRecord, imageVisibilities } from '../../contract/image-record.ts'

/** What people may write of images: fields that have a name, and whatever else they like as text. */

const containers = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const
const disks = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'ploop', 'iso'] as const
const tag = z.string().min(1).max(255)

export const named = {
  name: z.string().max(255).nullable(),
  visibility: z.enum(imageVisibilities),
  protected: z.boolean(),
  os_hidden: z.boolean(),
  owner: z.string().max(255).nullable(),
  container_format: z.enum(containers).nullable(),
  disk_format: z.enum(disks).nullable(),
  min_disk: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  min_ram: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  tags: z
    .array(tag)
    .max(128)
    .transform((all) => [...new Set(all)]),
}
export const namedFields = z.object(named).partial()
export type NamedFields = z.infer<typeof namedFields>

const readOnly = new Set(
  'id status size virtual_size checksum os_hash_algo os_hash_value created_at updated_at file self schema direct_url locations'.split(
    ' ',
  ),
)
const properties = z.record(z.string().min(1).max(255), z.string().max(4096))
const MOST_PROPERTIES = 128
const MOST_LETTERS = 64 * 1024

export const imageId = z.uuid().transform((text) => text.toLowerCase())

export function requireWritable(name: string): void {
  if (readOnly.has(name)) throw new UserError(403, `Attribute '${name}' is read-only.`)
  if (name.startsWith('os_glance')) throw new UserError(403, `Attribute '${name}' is reserved.`)
}

/** A body of creation, parted into what has a field and what is a property. */
export function parted(body: unknown): { fields: NamedFields; properties: Record<string, string> } {
  const given = z.record(z.string(), z.unknown()).parse(body ?? {})
  for (const name of Object.keys(given)) if (name !== 'id') requireWritable(name)
  const isNamed = (name: string): boolean => name === 'id' || Object.hasOwn(named, name)
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !isNamed(name)))
  return { fields: namedFields.parse(given), properties: checkedProperties(rest) }
}

export function checkedProperties(given: unknown): Record<string, string> {
  const checked = properties.parse(given)
  const letters = Object.entries(checked).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (Object.keys(checked).length > MOST_PROPERTIES || letters > MOST_LETTERS)
    throw new UserError(413, `An image has at most ${MOST_PROPERTIES} properties, of ${MOST_LETTERS} letters in all.`)
  return checked
}

/** Under the names of a record. */
export function recordFields({ os_hidden: hidden, ...fields }: NamedFields): Partial<ImageRecord> {
  return { ...fields, ...(hidden === undefined ? {} : { hidden }) }
}

const deployable = ['raw', 'qcow2']

/** What a machine's disk is written from. */
export function requireDeployable(record: Pick<ImageRecord, 'disk_format' | 'container_format'>): 'raw' | 'qcow2' {
  const { disk_format: format, container_format: container } = record
  if (format === null || container === null)
    throw new UserError(400, 'disk_format and container_format must be set before the data of an image come.')
  if (!deployable.includes(format) || container !== 'bare')
    throw new UserError(
      400,
      `disk_format ${format}, container_format ${container}: only raw and qcow2, bare, are deployed as they are; \`bloomery image push\` converts others.`,
    )
  return format as 'raw' | 'qcow2'
}
