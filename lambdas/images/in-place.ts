import { canonical } from '../../contract/images/canonical.ts'
import { manifestBlob, type SignedManifest } from '../../contract/images/manifest.ts'
import type { Image } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { forgetBatches, imageReferenceItem, pushItem, referenceKey } from '../store/image-references.ts'
import { imageItem, imageKey } from '../store/images.ts'
import { factsOf } from './push.ts'

/** An image that is there as one file gets chunks. While they are made it is pushed like any other (push.ts), under its own uuid. */

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock'>

/** What an earlier attempt referred to goes on to be. */
export async function beginInPlace({ table, clock }: Needs, { uuid, name }: Image): Promise<void> {
  const before = await table.get(referenceKey('push', uuid))
  const now = clock.now().toISOString()
  const version = (before?.version ?? 0) + 1
  const put = pushItem({ uuid, name, created_at: now, touched_at: now, version })
  await table.write([{ put, expect: before?.version ?? 'absent' }])
}

/** From now on it is deployed in chunks. False: it was changed or deleted meanwhile; its chunks go when nobody needs them. */
export async function completeInPlace(
  { table, blobs, clock }: Needs,
  image: Image,
  signed: SignedManifest,
): Promise<boolean> {
  const { uuid } = image
  const text = Buffer.from(canonical(signed))
  await blobs.put(manifestBlob(uuid), text)
  const { manifest } = signed
  const after: Image = {
    ...image,
    size: manifest.virtual_size,
    disk_format: 'raw',
    os_hash_algo: 'sha256',
    os_hash_value: manifest.sha256,
    manifest: factsOf(signed, text),
    updated_at: clock.now().toISOString(),
    version: image.version + 1,
  }
  try {
    await table.write([
      { delete: referenceKey('push', uuid), expect: 'present' },
      { put: imageReferenceItem(uuid), expect: 'absent' },
      { put: imageItem(after), expect: image.version },
    ])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    if (!(await table.get(imageKey(uuid)))) await blobs.delete(manifestBlob(uuid))
    return false
  }
  await forgetBatches(table, uuid)
  return true
}
