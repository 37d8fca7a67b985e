import type { ImageRecord } from '../../contract/image-record.ts'
import { failed } from '../image-service/failed.ts'
import { isHeld, isImporting } from '../image-service/hold.ts'
import type { Importer } from '../image-service/importer.ts'
import { changeRecord, IMPORTS_DUE } from '../image-service/records.ts'
import { LONGEST_MS } from '../image-service/turn.ts'
import type { Platform } from '../platform.ts'
import { dueItems } from './due.ts'

const HOUR_MS = 3600 * 1000
/** So long a message may wait in the queue before it is taken for lost. */
const SILENT_MS = 10 * 60_000

/** Images that are to be fetched and that nobody is at: whoever was, or the message that would have woken somebody, was lost. */
export async function wakeImports(
  platform: Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>,
  importer: Importer,
): Promise<void> {
  const now = platform.clock.now()
  const isSilent = (record: ImageRecord): boolean =>
    isImporting(record) &&
    !isHeld(record.download, now) &&
    now.getTime() - Date.parse(record.updated_at ?? record.created_at) > SILENT_MS
  for await (const { value } of dueItems(platform.table, IMPORTS_DUE, now)) {
    const record = value as ImageRecord
    if (!isSilent(record)) continue
    if (now.getTime() - Date.parse(record.download?.begun_at ?? record.created_at) > LONGEST_MS + HOUR_MS) {
      await failed(platform, record.uuid, 'it was not fetched in time: the functions that fetch images fail')
      continue
    }
    await importer.wake(record.uuid)
    // From now on it waits anew.
    await changeRecord(platform, record.uuid, (entry) => (isSilent(entry.record) ? {} : undefined))
  }
}
