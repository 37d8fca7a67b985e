import { chunkBlob } from '../../contract/images/manifest.ts'
import type { ChunkAnswer, PushedChunks } from '../../contract/images/push.ts'
import type { Platform } from '../platform.ts'
import { changeChunk, type ChunkRecord, getChunk } from '../store/chunks.ts'

/** A push says which chunks it needs. By then its reference to them is written; a chunk that is found here after that can't be collected
 * as long as the reference stands: the collector condemns first and reads references afterwards (collect.ts). */

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock'>
type Asked = PushedChunks['chunks'][number]

export const UPLOAD_SECONDS = 3600
const PARALLEL = 32
const TRIES = 8

export async function holdAll(platform: Needs, asked: readonly Asked[]): Promise<ChunkAnswer[]> {
  const answers: ChunkAnswer[] = []
  for (let at = 0; at < asked.length; at += PARALLEL)
    answers.push(...(await Promise.all(asked.slice(at, at + PARALLEL).map((each) => hold(platform, each)))))
  return answers
}

async function hold(platform: Needs, { sha256, stored }: Asked): Promise<ChunkAnswer> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const record = await settled(platform, sha256)
    if (record === 'again') continue
    if (record === 'busy') return { sha256, state: 'busy' }
    if (record?.state === 'stored') return { sha256, state: 'held', size: record.size }
    if (!stored) return { sha256, state: 'lacking' }
    if (!(await awaits(platform, sha256, stored.size))) continue
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
  const at = clock.now().toISOString()
  if (record.state === 'doomed') return 'busy'
  if (record.state === 'condemned') {
    await changeChunk(table, known, { sha256, state: record.was ?? 'awaited', size: record.size, at })
    return 'again'
  }
  if (record.state === 'stored') return record
  const found = await blobs.head(chunkBlob(sha256))
  if (!found) return record
  const seen = { sha256, state: 'stored' as const, size: found.size, at }
  return (await changeChunk(table, known, seen)) ? seen : 'again'
}

/** Notes, before anybody can upload it, that it may come. */
async function awaits({ table, clock }: Needs, sha256: string, size: number): Promise<boolean> {
  const known = await getChunk(table, sha256)
  if (known) return known.record.state === 'awaited'
  const at = clock.now().toISOString()
  return (await changeChunk(table, undefined, { sha256, state: 'awaited', size, at })) !== undefined
}
