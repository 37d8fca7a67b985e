import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { UserError } from '../../contract/api/faults.ts'
import { type ConfigDriveSource, encodeConfigDrive, renderConfigDrive } from '../../contract/config-drive.ts'
import { INLINE_LIMIT, type ConfigDriveReference } from '../../contract/plan-sources.ts'
import type { Node } from '../../contract/resources.ts'
import type { Blobs, Platform } from '../platform.ts'

/** A config drive is kept as one blob: base64 of a gzipped ISO 9660 image, as agents take it. Its name ends with its digest, and no two
 * have the same, so that one which is deleted late is never one that was stored anew. A URL is kept as it was given. */

/** What an agent makes room for on the disk. */
const LIMIT = 64 * 1024 * 1024
const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

export async function storeConfigDrive(
  { blobs, ids }: Pick<Platform, 'blobs' | 'ids'>,
  node: Pick<Node, 'uuid' | 'name'>,
  source: string | ConfigDriveSource,
): Promise<string> {
  if (typeof source === 'string' && isUrl(source)) return checkedUrl(source)
  const text = typeof source === 'string' ? checkedText(source) : rendered(source, node)
  const bytes = Buffer.from(text)
  const key = `config-drives/${node.uuid}/${ids.uuid()}/${createHash('sha256').update(bytes).digest('hex')}`
  await blobs.put(key, bytes)
  return key
}

/** What a guest wants to know and the caller left out. */
function rendered(source: ConfigDriveSource, { uuid, name }: Pick<Node, 'uuid' | 'name'>): string {
  const named = name === null ? {} : { name, hostname: name }
  return encodeConfigDrive(renderConfigDrive({ ...source, meta_data: { uuid, ...named, ...source.meta_data } }))
}

export async function configDriveReference(
  blobs: Blobs,
  { config_drive: drive }: Pick<Node, 'config_drive'>,
): Promise<ConfigDriveReference | null> {
  if (drive === null) return null
  if (isUrl(drive)) return { source: { kind: 'url', url: drive }, size: null, sha256: null }
  const stored = await blobs.head(drive)
  if (!stored) throw new UserError(400, 'The config drive is no longer stored; give it again.')
  const sha256 = drive.slice(drive.lastIndexOf('/') + 1)
  const small = stored.size <= INLINE_LIMIT ? await blobs.get(drive) : undefined
  const source = small
    ? { kind: 'inline' as const, text: Buffer.from(small).toString('latin1') }
    : { kind: 'blob' as const, key: drive }
  return { source, size: stored.size, sha256 }
}

export async function deleteConfigDrive(blobs: Blobs, drive: string): Promise<void> {
  if (!isUrl(drive)) await blobs.delete(drive)
}

function checkedUrl(url: string): string {
  if (!URL.canParse(url) || url.length > 2048) throw new UserError(400, 'configdrive: not a URL.')
  return url
}

function checkedText(text: string): string {
  const compact = text.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw malformed('it is not base64')
  let image: Buffer
  try {
    image = gunzipSync(Buffer.from(compact, 'base64'), { maxOutputLength: LIMIT })
  } catch {
    throw malformed('what it encodes is not gzip, or is larger than 64 MiB')
  }
  // ECMA-119 §8.4: the primary volume descriptor is sector 16, and says CD001.
  if (image.subarray(0x8001, 0x8006).toString('latin1') !== 'CD001') throw malformed('it holds no ISO 9660 image')
  return compact
}

function malformed(why: string): UserError {
  return new UserError(400, `configdrive: a base64 encoded gzip of an ISO 9660 image, or an http(s) URL: ${why}.`)
}
