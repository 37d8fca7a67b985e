import { ConflictError, type Platform } from '../platform.ts'
import { deleteImage, imageBlob, listImages, usersOfImage } from '../store/images.ts'
import type { Image } from '../../contract/resources.ts'

const AT_ONCE = 200

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
        await deleteImage(table, image, now, image.version)
      } catch (error) {
        if (error instanceof ConflictError) continue // it was given more time at this moment
        throw error
      }
      if (!image.manifest) await blobs.delete(imageBlob(image.uuid))
      log.info({ image: image.uuid, name: image.name, expires_at: image.expires_at }, 'image expired')
    }
    after = page.marker
  } while (after)
}
