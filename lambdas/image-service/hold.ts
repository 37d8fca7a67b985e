import type { ImageDownload, ImageRecord } from '../../contract/image-record.ts'
import type { Platform } from '../platform.ts'
import { changeRecord, findEntry } from './records.ts'

/** Longer than a function runs (cdk/imports.ts): whoever has an image for so long has died. */
const HELD_MS = 16 * 60_000

type Needs = Pick<Platform, 'table' | 'clock'>

/** One at a time fetches an image. Undefined: there is nothing to fetch, or somebody is at it. */
export async function hold(needs: Needs, uuid: string, holder: string): Promise<Importing | undefined> {
  if (!(await findEntry(needs.table, uuid))) return undefined
  const now = needs.clock.now()
  const until = new Date(now.getTime() + HELD_MS).toISOString()
  const { record } = await changeRecord(needs, uuid, ({ record }) =>
    isImporting(record) && !isHeld(record.download, now)
      ? { download: { ...record.download, turn: { holder, until } } }
      : undefined,
  )
  return isImporting(record) && record.download.turn?.holder === holder ? record : undefined
}

export type Importing = ImageRecord & { download: ImageDownload }

export const isImporting = (record: ImageRecord): record is Importing =>
  record.status === 'importing' && record.download !== null

export function isHeld({ turn }: ImageDownload, now: Date): boolean {
  return turn !== undefined && new Date(turn.until) > now
}

/** Somebody else has the image now, or it is no longer to be fetched. */
export class TurnLost extends Error {
  override readonly name = 'TurnLost'
}

/** Writes what became of it, unless it was taken away. */
export async function whileHeld(needs: Needs, uuid: string, holder: string, change: Partial<ImageDownload>) {
  await changeRecord(needs, uuid, ({ record }) => {
    if (!isImporting(record) || record.download.turn?.holder !== holder) throw new TurnLost(uuid)
    return { download: { ...record.download, ...change } }
  })
}

export async function release(needs: Needs, uuid: string, holder: string): Promise<void> {
  if (!(await findEntry(needs.table, uuid))) return
  await changeRecord(needs, uuid, ({ record: { download } }) => {
    if (download?.turn?.holder !== holder) return undefined
    const { turn: _, ...rest } = download
    return { download: rest }
  })
}

export function withoutTurns(download: ImageDownload): ImageDownload {
  const { url, failed, request, begun_at, by } = download
  return { url, failed, request, begun_at, by }
}
