import type { ConsoleChunk } from '../../contract/console.ts'
import { ConflictError, type Item, type Key, type Platform, type Table, type Write } from '../platform.ts'

/** What watchers of a console have not read yet: so many chunks of each node, the oldest overwritten; and where its recording is, when
 * that was asked for. All of it is of the moment. */

const SLOTS = 32
const EXPIRES_SECONDS = 3600
const ATTEMPTS = 30

interface Head {
  stream: string
  seq: number
  at: string
}

const headKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'console' })
const slotKey = (node: string, seq: number): Key => ({
  pk: `node#${node}`,
  sk: `console#${String(seq % SLOTS).padStart(2, '0')}`,
})
const renewalKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'console-renewal' })
const lastScreenKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'console-screen' })
const logKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'console-log' })

const expiry = (now: Date): number => Math.floor(now.getTime() / 1000) + EXPIRES_SECONDS

/** Late and doubled ones change nothing that a reader believes: each slot says which chunk it has. */
export async function addChunk(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  node: string,
  chunk: ConsoleChunk,
): Promise<void> {
  const expires = expiry(clock.now())
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await table.get(headKey(node))
    const head = before?.value as Head | undefined
    const isSame = head?.stream === chunk.stream
    if (head && !isSame && head.at > chunk.at) return
    const slot: Write = { put: { ...slotKey(node, chunk.seq), version: 1, value: chunk, expires } }
    if (head && isSame && head.seq >= chunk.seq) {
      // Overtaken on its way: whoever is not past it still reads it.
      if (head.seq - chunk.seq < SLOTS) await table.write([slot])
      return
    }
    const { stream, seq, at } = chunk
    const value: Head = { stream, seq, at }
    try {
      await table.write([
        slot,
        {
          put: { ...headKey(node), version: (before?.version ?? 0) + 1, value, expires },
          expect: before?.version ?? 'absent',
        },
      ])
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
}

/** As a watcher holds it: `stream.seq` of the last chunk that it has. */
export interface ConsoleCursor {
  stream: string
  seq: number
}

export async function headOf(table: Table, node: string): Promise<ConsoleCursor> {
  const head = (await table.get(headKey(node)))?.value as Head | undefined
  return { stream: head?.stream ?? '', seq: head?.seq ?? 0 }
}

/** What came behind the cursor, in order; what was overwritten meanwhile is missing, and the next screen makes it good. */
export async function chunksAfter(
  table: Table,
  node: string,
  after: ConsoleCursor,
): Promise<{ chunks: ConsoleChunk[]; cursor: ConsoleCursor; gap: boolean }> {
  const head = await headOf(table, node)
  const isSame = head.stream === after.stream
  if (head.seq === 0 || (isSame && head.seq <= after.seq)) return { chunks: [], cursor: after, gap: false }
  const from = Math.max(isSame ? after.seq : 0, head.seq - SLOTS) + 1
  const numbers = Array.from({ length: head.seq - from + 1 }, (_, index) => from + index)
  const found = await Promise.all(numbers.map((seq) => table.get(slotKey(node, seq))))
  const chunks = found.flatMap((item, index) => {
    const chunk = item?.value as ConsoleChunk | undefined
    return chunk?.stream === head.stream && chunk.seq === numbers[index] ? [chunk] : []
  })
  const gap = chunks.length < head.seq - (isSame ? after.seq : 0)
  return { chunks, cursor: head, gap }
}

/** Whether it is this caller who is to tell the site that somebody watches: one of all, every `ms`. */
export async function takesRenewal(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  node: string,
  ms: number,
): Promise<boolean> {
  const now = clock.now()
  const before = await table.get(renewalKey(node))
  if (before && now.getTime() - Date.parse(before.value as string) < ms) return false
  const put: Item = {
    ...renewalKey(node),
    version: (before?.version ?? 0) + 1,
    value: now.toISOString(),
    expires: expiry(now),
  }
  return wrote(table, [{ put, expect: before?.version ?? 'absent' }])
}

/** What a console showed when an operation failed. */
export interface LastScreen {
  at: string
  lines: string[]
}

/** Undefined: the failure has none. */
export async function setLastScreen(table: Table, node: string, screen: LastScreen | undefined): Promise<void> {
  if (screen) await table.write([{ put: { ...lastScreenKey(node), version: 1, value: screen } }])
  else if (await table.get(lastScreenKey(node))) await table.write([{ delete: lastScreenKey(node) }])
}

export async function lastScreen(table: Table, node: string): Promise<LastScreen | null> {
  return ((await table.get(lastScreenKey(node)))?.value as LastScreen | undefined) ?? null
}

/** The recording that was asked for last; its parts are blobs, which the next one overwrites. */
export interface ConsoleLog {
  request: string
  asked_at: string
}

const partBlob = (node: string, part: number): string => `consoles/${node}/${part}`

export async function setLog({ table }: Pick<Platform, 'table'>, node: string, log: ConsoleLog): Promise<void> {
  await table.write([{ put: { ...logKey(node), version: 1, value: log } }])
}

export async function logOf(table: Table, node: string): Promise<ConsoleLog | undefined> {
  return (await table.get(logKey(node)))?.value as ConsoleLog | undefined
}

export interface StoredPart {
  request: string
  parts: number
  text: string
}

export async function addLogPart(
  { blobs }: Pick<Platform, 'blobs'>,
  node: string,
  part: number,
  stored: StoredPart,
): Promise<void> {
  await blobs.put(partBlob(node, part), Buffer.from(JSON.stringify(stored)))
}

/** Undefined: not all of it is here yet. */
export async function readLog(
  { blobs }: Pick<Platform, 'blobs'>,
  node: string,
  request: string,
): Promise<string | undefined> {
  const read = async (part: number): Promise<StoredPart | undefined> => {
    const bytes = await blobs.get(partBlob(node, part))
    const stored = bytes && (JSON.parse(Buffer.from(bytes).toString()) as StoredPart)
    return stored?.request === request ? stored : undefined
  }
  const first = await read(0)
  if (!first) return undefined
  const rest = await Promise.all(Array.from({ length: first.parts - 1 }, (_, index) => read(index + 1)))
  const all = [first, ...rest]
  return all.every((each) => each !== undefined) ? all.map((each) => each.text).join('') : undefined
}

/** All that is kept of a node's console. */
export async function deleteConsole(
  { table, blobs }: Pick<Platform, 'table' | 'blobs'>,
  node: string,
  parts: number,
): Promise<void> {
  if (await logOf(table, node)) for (let part = 0; part < parts; part += 1) await blobs.delete(partBlob(node, part))
  const slots = Array.from({ length: SLOTS }, (_, slot) => slotKey(node, slot))
  const keys = [headKey(node), renewalKey(node), lastScreenKey(node), logKey(node), ...slots]
  const known = await Promise.all(keys.map(async (key) => ((await table.get(key)) ? [{ delete: key }] : [])))
  const writes = known.flat()
  if (writes.length > 0) await wrote(table, writes)
}

async function wrote(table: Table, writes: Write[]): Promise<boolean> {
  try {
    await table.write(writes)
    return true
  } catch (error) {
    if (error instanceof ConflictError) return false
    throw error
  }
}
