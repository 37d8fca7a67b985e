import { changeRecord, allEntries, type Entry } from '../lambdas/image-service/records.ts'
import type { Platform } from '../lambdas/platform.ts'
import { imageBlob } from '../lambdas/store/images.ts'
import type { FileBlobs } from './blobs.ts'
import { cutImage } from './cut-image.ts'

/** So long a plan or a client may be at the file that came. */
const KEPT_MS = 24 * 3600 * 1000

/** Cuts all that came as one file. What nobody signed can't replace what came where signatures are insisted on. One that can't be cut is deployed
 * as the file that it is. */
export async function cutImages(platform: Platform, blobs: FileBlobs, stop: AbortSignal): Promise<void> {
  if (platform.options.image_keys.length > 0) return
  for (const entry of await allEntries(platform.table)) {
    if (stop.aborted) return
    await cut(platform, blobs, entry, stop).catch((error: unknown) => {
      if (!stop.aborted) platform.log.warn({ image: entry.record.uuid, why: String(error) }, 'image stays one file')
    })
  }
}

async function cut(platform: Platform, blobs: FileBlobs, { record, image }: Entry, stop: AbortSignal): Promise<void> {
  const file = image && record.data && blobs.find(imageBlob(image.uuid))
  if (!file || image.state !== 'active' || record.whole_until !== undefined) return
  if (!image.manifest) {
    if (!(await cutImage(platform, image, file.path, stop))) return
    platform.log.info({ image: image.uuid, name: record.name }, 'image is kept in chunks')
  }
  // The chunks of a qcow2 give its disk, and not the file again.
  const until = new Date(platform.clock.now().getTime() + KEPT_MS).toISOString()
  const whole_until = record.disk_format === 'raw' ? until : null
  await changeRecord(platform, image.uuid, () => ({ whole_until }))
}
