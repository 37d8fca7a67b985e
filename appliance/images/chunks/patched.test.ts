import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CHUNK_BYTES, manifestBlob, placesBlob, sha256Of } from '../../../contract/images/manifest.ts'
import { MOST_DEPTH, readPatch, storedPatch } from '../../../contract/images/patch.ts'
import { makeImage, patchOf, placesOf } from '../../../contract/images/testing.ts'
import { hastyClock } from '../../testing/blob-server.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import { openChunkCache } from './chunk-cache.ts'
import { unpack } from './unpack.ts'

const old = Buffer.concat([randomBytes(CHUNK_BYTES), randomBytes(CHUNK_BYTES)])
const disk = Buffer.from(old)
randomBytes(50_000).copy(disk, 300_000)
const [before, image] = [makeImage(old), makeImage(disk)]
const [changed, same] = [...image.chunks.keys()] as [string, string]
const [base] = [...before.chunks.keys()] as [string]
const patch = patchOf(image.chunks.get(changed)!, new Map([[base, before.chunks.get(base)!]]))

/** A site whose store has these objects beside the image. */
async function site(chunks: Record<string, Buffer>, needs: string[], dir = temporaryFolder()) {
  const asked: string[] = []
  const troubles: string[] = []
  const objects = new Map<string, Buffer>([
    [manifestBlob('i'), Buffer.from(image.text)],
    [
      placesBlob('i', 0),
      Buffer.from(JSON.stringify(placesOf(image.pages[0]!, (sha256) => `https://s/${sha256}`, needs))),
    ],
    ...before.chunks,
    ...image.chunks,
    ...Object.entries(chunks),
  ])
  let received = 0
  const cache = openChunkCache({
    dir,
    quota: async () => Infinity,
    keys: [],
    urls: { learn: () => {}, urlOf: (source) => (source.kind === 'blob' ? `https://s/${source.key}` : undefined) },
    refresh: () => {},
    clock: hastyClock,
    received: (bytes) => (received += bytes),
    get: async (url) => {
      const path = (url as string).slice('https://s/'.length)
      asked.push(path)
      const found = objects.get(path)
      return found ? new Response(new Uint8Array(found)) : new Response('', { status: 404 })
    },
  })
  const want = (signal = new AbortController().signal) => ({
    lane: 'plan',
    urgent: true,
    signal,
    trouble: (text: string) => void troubles.push(text),
  })
  const reference = {
    name: 'debian',
    source: { kind: 'blob' as const, key: manifestBlob('i') },
    size: disk.length,
    disk_format: 'raw' as const,
    os_hash_algo: 'sha256' as const,
    os_hash_value: image.manifest.sha256,
    manifest: { size: image.text.length, sha256: sha256Of(image.text) },
  }
  const opened = await cache.open(reference, want())
  const get = (sha256: string, signal?: AbortSignal) => cache.stored(opened, sha256, want(signal))
  const count = (sha256: string): number => asked.filter((path) => path === sha256).length
  return { cache, get, count, troubles, dir, received: () => received }
}
const isWhole = async (sha256: string, stored: Buffer): Promise<boolean> =>
  readPatch(stored) === undefined && (await unpack(sha256, stored)) !== undefined

it('a chunk that comes as a patch is put together once, with what is here, and kept whole', async () => {
  const { cache, get, count, received } = await site({ [changed]: patch }, [base])
  const got = await Promise.all(Array.from({ length: 32 }, () => get(changed)))
  for (const stored of got) expect(await isWhole(changed, stored)).toBe(true)
  expect([count(changed), count(base)]).toEqual([1, 1])
  expect(await isWhole(changed, (await cache.here(changed))!)).toBe(true)
  expect(await isWhole(base, (await cache.here(base))!)).toBe(true)
  // What is here already is not brought again.
  const before = received()
  await get(changed)
  await get(same)
  expect(received() - before).toBe(image.chunks.get(same)!.length)
})

it('of a chunk whose bases are here only what has changed crosses the WAN', async () => {
  const before = await site({ [changed]: patch }, [base])
  await before.get(changed)
  rmSync(join(before.dir, changed.slice(-2), `chunk-${changed}`))
  const after = await site({ [changed]: patch }, [base], before.dir)
  expect(await isWhole(changed, await after.get(changed))).toBe(true)
  expect([after.count(changed), after.count(base)]).toEqual([1, 0])
  expect(patch.length / image.chunks.get(changed)!.length).toBeLessThan(0.06)
})

it('one who leaves takes nobody along', async () => {
  const { get } = await site({ [changed]: patch }, [base])
  const leaving = new AbortController()
  const left = get(changed, leaving.signal)
  const staying = get(changed)
  leaving.abort(new Error('the plan has ended'))
  await expect(left).rejects.toThrow('the plan has ended')
  expect(await isWhole(changed, await staying)).toBe(true)
})

it('a patch of something else, upon itself, upon what is gone or upon too much is refused, and kept nowhere', async () => {
  const wrong = patchOf(image.chunks.get(same)!, new Map([[base, before.chunks.get(base)!]]))
  const one = await site({ [changed]: wrong }, [base])
  await expect(one.get(changed)).rejects.toThrow(/patch of something else/)
  expect([one.count(changed), one.troubles.length, await one.cache.has(changed)]).toEqual([3, 2, false])
  const torn = await site({ [changed]: patch.subarray(0, -10) }, [base])
  await expect(torn.get(changed)).rejects.toThrow(/patch of something else/)
  const round = storedPatch({ bases: [changed], frame: readPatch(patch)!.frame })
  await expect((await site({ [changed]: round }, [])).get(changed)).rejects.toThrow(/upon too many others/)
  const mutual = { [changed]: round, [base]: storedPatch({ bases: [changed], frame: round }) }
  const two = await site({ ...mutual, [changed]: patch }, [base])
  await expect(Promise.all([two.get(changed), two.get(changed)])).rejects.toThrow(/upon too many others/)
  const gone = await site({ [changed]: storedPatch({ bases: ['e'.repeat(64)], frame: round }) }, ['e'.repeat(64)])
  await expect(gone.get(changed)).rejects.toThrow(/no longer in the store/)
})

it('patches upon patches are followed down to where they must end', async () => {
  let beneath = new Map([[base, before.chunks.get(base)!]])
  const chunks: Record<string, Buffer> = {}
  for (let depth = 1; depth < MOST_DEPTH; depth += 1) {
    const plain = Buffer.from(old.subarray(0, CHUNK_BYTES))
    plain.writeUInt32LE(depth, 5000)
    const [sha256, whole] = [...makeImage(plain).chunks][0]!
    chunks[sha256] = patchOf(whole, beneath)
    beneath = new Map([[sha256, whole]])
  }
  chunks[changed] = patchOf(image.chunks.get(changed)!, beneath)
  const { get } = await site(chunks, [base, ...Object.keys(chunks)])
  expect(await isWhole(changed, await get(changed))).toBe(true)
})
