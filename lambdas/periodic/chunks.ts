import { collect } from '../images/collect.ts'
import { dropWholes, expireImages } from '../images/expire.ts'
import { ConflictError, type Page, type Platform } from '../platform.ts'

/** Chunks that no image needs go at leisure: once an hour all are looked at, some at each tick. */

const EVERY_MS = 3600 * 1000
const KEY = { pk: 'chunk-collection', sk: 'next' }

interface Next {
  at: string
  after?: Page['next']
}

export async function collectChunks(platform: Platform): Promise<void> {
  const { table, clock } = platform
  const item = await table.get(KEY)
  const next = item?.value as Next | undefined
  const now = clock.now().getTime()
  if (next && Date.parse(next.at) > now) return
  const note = async (value: Next, before: number): Promise<void> =>
    table.write([{ put: { ...KEY, version: before + 1, value }, expect: before === 0 ? 'absent' : before }])
  const before = item?.version ?? 0
  const later = new Date(now + EVERY_MS).toISOString()
  try {
    // Should this end early, an hour later it begins anew.
    await note({ at: later }, before)
    if (!next?.after) {
      await expireImages(platform)
      await dropWholes(platform)
    }
    const after = await collect(platform, next?.after)
    if (after) await note({ at: new Date(now).toISOString(), after }, before + 1)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // another tick is at it
  }
}
