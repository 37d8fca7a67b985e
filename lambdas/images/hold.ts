import { chunkBlob } from '../../contract/images/manifest.ts'
import { MOST_DEPTH, MOST_NEEDS } from '../../contract/images/patch.ts'
import type { ChunkAnswer, PushedChunks } from '../../contract/images/push.ts'
import type { Platform } from '../platform.ts'
import { changeChunk, type ChunkRecord, getChunk, moved, spared } from '../store/chunks.ts'

/** A push says which chunks it needs. By then its reference to them is written; a chunk that is found here after that can't be collected
 * as long as the reference stands: the collector condemns first and reads references afterwards (collect.ts). */

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock'>
type Asked = PushedChunks['chunks'][number]

export const UPLOAD_SECONDS = 3600
const PARALLEL = 32
const TRIES = 8

/** `needs`: gets what those that are held are patches upon. */
export async function holdAll(
  platform: Needs,
  asked: readonly Asked[],
  needs = new Set<string>(),
): Promise<ChunkAnswer[]> {
  const answers: ChunkAnswer[] = []
  for (let at = 0; at < asked.length; at += PARALLEL)
    answers.push(...(await Promise.all(asked.slice(at, at + PARALLEL).map((each) => hold(platform, each, needs)))))
  return answers
}

async function hold(platform: Needs, { sha256, stored }: Asked, needs: Set<string>): Promise<ChunkAnswer> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const record = await settled(platform, sha256)
    if (record === 'again') continue
    if (record === 'busy') return { sha256, state: 'busy' }
    if (record?.state === 'stored') {
      for (const each of record.needs ?? []) needs.add(each)
      return { sha256, state: 'held', size: record.size, ...(record.depth && { depth: record.depth }) }
    }
    if (!stored) return { sha256, state: 'lacking' }
    const upon = await standing(platform, stored.bases ?? [])
    // What was noted of a chunk holds for whatever is uploaded of it: a patch upon others than those could lose them.
    if (!upon || (record && !covers(record, upon.needs))) return { sha256, state: 'lacking', whole: true }
    if (!(await awaits(platform, { sha256, size: stored.size, ...upon }))) continue
    const upload = await platform.blobs.signPut(chunkBlob(sha256), stored, UPLOAD_SECONDS)
    return { sha256, state: 'lacking', upload }
  }
  return { sha256, state: 'busy' }
}

/** What the store has of the chunk: what was condemned is spared, and what was uploaded is seen. */
async function settled(
  { table, blobs, clock }: Needs,
  sha256: string,
): Promise<ChunkRecord | undefined | 'busy' | 'again'> {
  const known = await getChunk(table, sha256)
  if (!known) return undefined
  const { record } = known
  if (record.state === 'doomed') return 'busy'
  if (record.state === 'condemned') {
    await changeChunk(table, known, spared(record, clock.now()))
    return 'again'
  }
  if (record.state === 'stored') return record
  const found = await blobs.head(chunkBlob(sha256))
  if (!found) return record
  const seen = { ...moved(record, 'stored', clock.now()), size: found.size }
  return (await changeChunk(table, known, seen)) ? seen : 'again'
}

/** Notes, before anybody can upload it, that it may come. */
async function awaits({ table, clock }: Needs, chunk: Omit<ChunkRecord, 'state' | 'at'>): Promise<boolean> {
  const known = await getChunk(table, chunk.sha256)
  if (known) return known.record.state === 'awaited' && covers(known.record, chunk.needs)
  const at = clock.now().toISOString()
  return (await changeChunk(table, undefined, { ...chunk, state: 'awaited', at })) !== undefined
}

const covers = (record: ChunkRecord, needs: readonly string[] = []): boolean =>
  needs.every((each) => record.needs?.includes(each))

/** What a patch upon these needs; undefined: it can't stand, as one of them isn't there or too much lies below it. */
async function standing(
  platform: Needs,
  bases: readonly string[],
): Promise<Pick<ChunkRecord, 'needs' | 'depth'> | undefined> {
  if (bases.length === 0) return {}
  const needs = new Set(bases)
  let depth = 0
  for (const base of bases) {
    let record = await settled(platform, base)
    for (let tries = 1; record === 'again' && tries < TRIES; tries += 1) record = await settled(platform, base)
    if (typeof record !== 'object' || record.state !== 'stored') return undefined
    for (const each of record.needs ?? []) needs.add(each)
    depth = Math.max(depth, record.depth ?? 0)
  }
  return depth < MOST_DEPTH && needs.size <= MOST_NEEDS ? { needs: [...needs], depth: depth + 1 } : undefined
}
