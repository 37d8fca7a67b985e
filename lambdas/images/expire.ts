import { countedTable } from '../image-service/counted.ts'
import { allEntries, changeRecord, recordStore } from '../image-service/records.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { deleteImage, imageBlob, listImages, usersOfImage } from '../store/images.ts'
import type { Image } from '../../contract/resources.ts'

const AT_ONCE = 200

/** Files that came, of images which are kept in chunks since then, and which nobody is fetching as one any more. */
export async function dropWholes({ table, blobs, clock, log }: Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>) {
  for (const { record, image } of await allEntries(table)) {
    const { uuid, whole_until: until } = record
    if (!image?.manifest || !until || Date.parse(until) > clock.now().getTime()) continue
    await blobs.delete(imageBlob(uuid))
    await changeRecord({ table, clock }, uuid, () => ({ whole_until: null }))
    log.info({ image: uuid }, 'image is kept in chunks alone')
  }
}

/** Deletes images that are to be kept no longer and that no node names. */
export async function expireImages({ table, blobs, clock, log }: Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>) {
  const now = clock.now()
  let after: Image | undefined
  do {
    const page: Awaited<ReturnType<typeof listImages>> = await listImages(table, { limit: AT_ONCE, after })
    for (const image of page.values) {
      if (!image.expires_at || Date.parse(image.expires_at) > now.getTime()) continue
      if ((await usersOfImage(table, image, 1)).length > 0) continue
      try {
        const record = await recordStore.get(table, image.uuid)
        await deleteImage(countedTable(table, record, undefined), image, now, image.version)
      } catch (error) {
        if (error instanceof ConflictError) continue // it was given more time at this moment
        throw error
      }
      await blobs.delete(imageBlob(image.uuid))
      log.info({ image: image.uuid, name: image.name, expires_at: image.expires_at }, 'image expired')
    }
    after = page.marker
  } while (after)
}
