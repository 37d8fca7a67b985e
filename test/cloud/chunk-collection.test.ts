import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultOptions } from '../../contract/conductor-options.ts'
import { CHUNK_BYTES, chunkBlob, PAGE_CHUNKS, pageDigest } from '../../contract/images/manifest.ts'
import { signManifest } from '../../contract/images/signature.ts'
import { collect } from '../../lambdas/images/collect.ts'
import { beginPush, completePush, pushChunks, pushPage } from '../../lambdas/images/push.ts'
import type { Blobs, Platform, Table } from '../../lambdas/platform.ts'
import { deleteImage, findImage, listImages } from '../../lambdas/store/images.ts'
import { openTable } from '../../standalone/table.ts'
import { memoryBlobs } from './control-plane.ts'

const RUNS = 150
const LETTERS = ['a', 'b', 'c', 'd']
const shaOf = (letter: string): string => createHash('sha256').update(letter).digest('hex')

/** A cloud whose every access to table and store happens when `pick` lets it, one at a time, in an order that a seed decides. */
function interleaved(seed: number) {
  let state = seed | 1
  const below = (n: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
  const waiting: Array<() => void> = []
  const turn = (): Promise<void> => new Promise((resolve) => void waiting.push(resolve))
  let now = Date.parse('2026-11-23T10:00:00Z')
  const clock = { now: () => new Date(now) }
  const table = openTable({ path: ':memory:', clock, patience: { tries: 3, pauseMs: 1 } })
  const stored = new Map<string, Uint8Array>()
  const blobs = memoryBlobs(stored)
  const slowly = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (all, name) => {
        const method = Reflect.get(all, name) as unknown
        if (typeof method !== 'function') return method
        return async (...args: unknown[]): Promise<unknown> => {
          await turn()
          return (method as (...given: unknown[]) => unknown).apply(all, args)
        }
      },
    })
  const platform = {
    table: slowly<Table>(table),
    blobs: slowly<Blobs>(blobs),
    clock,
    options: defaultOptions,
    ids: { uuid: () => randomUUID(), token: () => 'token' },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  } satisfies Partial<Platform>
  /** Lets all of these go on, step by step, until they have ended. */
  async function play(works: Array<Promise<unknown>>): Promise<void> {
    const open = new Set(works)
    for (const work of works) void work.finally(() => open.delete(work)).catch(() => {})
    while (open.size > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      waiting.splice(below(Math.max(1, waiting.length)), 1)[0]?.()
    }
    await Promise.all(works)
  }
  return { platform, table, stored, below, play, pass: (hours: number) => (now += hours * 3_600_000) }
}

/** As the command line does it, with chunks of one letter; an upload is what the object needs besides. `base`: chunks are patches upon this one,
 * where that can be. */
async function push(
  platform: Platform,
  stored: Map<string, Uint8Array>,
  name: string,
  letters: string[],
  base?: string,
): Promise<void> {
  const { uuid } = await beginPush(platform, name)
  const page = letters.map(shaOf)
  const whole = new Set(base === undefined ? page : [shaOf(base)])
  for (let round = 0; ; round += 1) {
    const chunks = page.map((sha256) => {
      const bases = whole.has(sha256) ? undefined : [shaOf(base!)]
      return { sha256, stored: { sha256, size: 1, bases } }
    })
    const answers = await pushChunks(platform, uuid, { chunks })
    for (const { sha256, upload, whole: refused } of answers) {
      if (upload) {
        await platform.blobs.head('the time that an upload takes')
        stored.set(chunkBlob(sha256), Buffer.from(whole.has(sha256) ? '' : chunkBlob(shaOf(base!))))
      }
      if (refused) whole.add(sha256)
    }
    if (answers.every(({ state, whole: refused }) => state !== 'busy' && !refused)) break
    expect(round).toBeLessThan(1000)
  }
  await pushPage(platform, uuid, 0, page)
  const manifest = {
    v: 1 as const,
    chunk_bytes: CHUNK_BYTES as 1_048_576,
    page_chunks: PAGE_CHUNKS as 1024,
    virtual_size: page.length * CHUNK_BYTES,
    sha256: shaOf(name),
    pages: [pageDigest(page)],
    stored_size: page.length,
    source_format: 'raw' as const,
    layout: { table: 'none' as const, sector: 0, partitions: [] },
    boot_modes: [],
  }
  await completePush(platform, uuid, signManifest(manifest, undefined))
}

async function remove(platform: Platform, name: string): Promise<void> {
  const image = await findImage(platform.table, name)
  if (image) await deleteImage(platform.table, image, platform.clock.now())
}

it('however pushes, deletions and collectors get in each other’s way, an image that is there has all its chunks', async () => {
  let collected = 0
  let patches = 0
  const some = (maxLength: number) => fc.uniqueArray(fc.constantFrom(...LETTERS), { minLength: 1, maxLength })
  const base = fc.option(fc.constantFrom(...LETTERS), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1 }),
      some(4),
      some(2),
      some(2),
      base,
      base,
      async (seed, old, first, second, upon, then) => {
        const on = interleaved(seed)
        const platform = on.platform as unknown as Platform
        await on.play([push(platform, on.stored, 'old', old, upon)])
        await on.play([remove(platform, 'old')])
        // Their references go now, so that the collectors meet chunks that are just being needed again.
        on.pass(30)
        await on.play([
          push(platform, on.stored, 'first', first, upon),
          push(platform, on.stored, 'second', second, then),
          collect(platform, undefined),
          collect(platform, undefined),
          collect(platform, undefined),
        ])
        // What a chunk is a patch upon goes after it.
        for (let depth = 0; depth < LETTERS.length; depth += 1) {
          on.pass(2)
          await on.play([collect(platform, undefined)])
        }
        const images = (await listImages(on.table, { limit: 10 })).values
        expect(images.map(({ name }) => name).sort()).toEqual(['first', 'second'])
        const needed = new Set([...first, ...second].map((letter) => chunkBlob(shaOf(letter))))
        for (const blob of needed) {
          expect([blob, on.stored.has(blob)]).toEqual([blob, true])
          const beneath = Buffer.from(on.stored.get(blob)!).toString()
          if (beneath === '') continue
          patches += 1
          needed.add(beneath)
        }
        const left = [...on.stored.keys()].filter((blob) => blob.startsWith(chunkBlob('')) && !needed.has(blob))
        // A chunk that was first noted as a patch and then came whole keeps what it would have needed.
        const noted = new Set(
          [upon, then].filter((letter) => letter !== undefined).map((letter) => chunkBlob(shaOf(letter))),
        )
        expect(left.filter((blob) => !noted.has(blob))).toEqual([])
        collected += old.filter((letter) => !needed.has(chunkBlob(shaOf(letter)))).length
        on.table.close()
      },
    ),
    { numRuns: RUNS },
  )
  expect(collected).toBeGreaterThan(10)
  expect(patches).toBeGreaterThan(10)
}, 120_000)
