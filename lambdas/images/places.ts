import { canonical } from '../../contract/images/canonical.ts'
import { chunkBlob, type ImagePlaces, placesBlob } from '../../contract/images/manifest.ts'
import type { Blobs } from '../platform.ts'
import { needsOf, pageOf } from '../store/image-references.ts'

/** Thousands of signed URLs fit into no message: a page goes into the store together with the URLs of its chunks, and the site gets the URL of
 * that. */

const SIGNED_AT_ONCE = 64
const KEY = /^images\/([0-9a-f-]{36})\/places\/(\d{1,5})$/

/** Makes the object that the key names, if it names one of these and its page is stored. */
export async function preparePlaces(blobs: Blobs, key: string, seconds: number): Promise<void> {
  const [, image, number] = KEY.exec(key) ?? []
  if (image === undefined) return
  const page = Number(number)
  const chunks = await pageOf(blobs, image, page)
  if (!chunks) return
  const distinct = [...new Set([...chunks.filter((each) => each !== null), ...(await needsOf(blobs, image, page))])]
  const urls: ImagePlaces['urls'] = {}
  for (let at = 0; at < distinct.length; at += SIGNED_AT_ONCE)
    await Promise.all(
      distinct.slice(at, at + SIGNED_AT_ONCE).map(async (sha256) => {
        urls[sha256] = await blobs.signGet(chunkBlob(sha256), seconds)
      }),
    )
  await blobs.put(placesBlob(image, page), Buffer.from(canonical({ chunks, urls } satisfies ImagePlaces)))
}
