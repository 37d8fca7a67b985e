import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import { checkedProperties, named, namedFields, recordFields, requireWritable } from './input.ts'

/** JSON patches of images (Image API v2, "openstack-images-v2.1-json-patch"): one level deep, and `add` replaces. Pure. */

export const PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'

export const imagePatch = z
  .array(
    z.discriminatedUnion('op', [
      z.strictObject({ op: z.enum(['add', 'replace']), path: z.string().max(512), value: z.unknown() }),
      z.strictObject({ op: z.literal('remove'), path: z.string().max(512) }),
    ]),
  )
  .max(512)
export type ImagePatch = z.infer<typeof imagePatch>

export function patched(record: ImageRecord, patch: ImagePatch): Partial<ImageRecord> {
  let fields: Partial<ImageRecord> = {}
  const properties = { ...record.properties }
  for (const operation of patch) {
    const name = nameOf(operation.path)
    requireWritable(name)
    if (Object.hasOwn(named, name)) {
      if (operation.op === 'remove') throw new UserError(403, `Property ${name} may not be removed.`)
      fields = { ...fields, ...recordFields(namedFields.parse({ [name]: operation.value })) }
    } else if (operation.op === 'remove') {
      if (!Object.hasOwn(properties, name)) throw missing(name)
      delete properties[name]
    } else {
      if (operation.op === 'replace' && !Object.hasOwn(properties, name)) throw missing(name)
      properties[name] = operation.value as string // checked below
    }
  }
  requireUnchangedFormats(record, fields)
  return { ...fields, properties: checkedProperties(properties) }
}

/** RFC 6901 §4. */
function nameOf(path: string): string {
  const name = path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')
  if (!path.startsWith('/') || name === '' || path.slice(1).includes('/'))
    throw new UserError(400, `Invalid JSON pointer for this resource: '${path}'`)
  return name
}

const missing = (name: string): UserError => new UserError(409, `Property ${name} does not exist.`)

function requireUnchangedFormats(record: ImageRecord, fields: Partial<ImageRecord>): void {
  for (const name of ['disk_format', 'container_format'] as const)
    if (fields[name] !== undefined && fields[name] !== record[name] && record.status !== 'queued')
      throw new UserError(403, `Attribute ${name} can only be replaced for a queued image.`)
}
