import type { Platform } from '../platform.ts'
import { imageBlob } from '../store/images.ts'
import { withoutTurns } from './hold.ts'
import { changeRecord } from './records.ts'

/** What was to be fetched did not come: the image says why, and may get data in another way. */
export async function failed(
  needs: Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>,
  uuid: string,
  why: string,
): Promise<void> {
  needs.log.warn({ image: uuid, why }, 'image could not be fetched')
  // It may all have come, and be more than its project may have.
  await needs.blobs.delete(imageBlob(uuid))
  await changeRecord(needs, uuid, ({ record: { status, download } }) => {
    if (status !== 'importing' || !download) return undefined
    return { status: 'queued', download: { ...withoutTurns(download), failed: why.slice(0, 500) } }
  })
}
