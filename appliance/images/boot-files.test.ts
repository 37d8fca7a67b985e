import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { blobServer, hastyClock } from '../testing/blob-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { openCache } from './cache.ts'

const bytes = randomBytes(100_000)
const value = createHash('sha256').update(bytes).digest('hex')
const file = `sha256-${value}`

async function setUp(quota = 1 << 20) {
  const blobs = await blobServer(bytes)
  const dir = join(temporaryFolder(), 'images')
  const cache = openCache({
    dir,
    quota,
    urls: { learn: () => {}, urlOf: () => undefined },
    refresh: () => {},
    clock: hastyClock,
    get: fetch,
    inUse: () => [],
    serve: (plan, name) => `http://site/${plan}/${name}`,
  })
  const bring = (digest: string | null, commandOf: string = randomUUID()): Promise<string> =>
    cache.file(
      { url: blobs.url, digest: digest === null ? null : { algorithm: 'sha256', value: digest } },
      'the kernel',
      {
        commandOf,
        signal: new AbortController().signal,
        trouble: () => {},
        progress: () => {},
      },
    )
  return { blobs, dir, cache, bring }
}

it('brings a file that is booted, once where its digest is known', async () => {
  const { blobs, dir, bring } = await setUp()
  expect(await bring(value)).toBe(file)
  expect(await bring(value)).toBe(file)
  expect(blobs.asked).toHaveLength(1)
  expect(readFileSync(join(dir, file)).equals(bytes)).toBe(true)
})

it('asks its URL anew for each deploy where nobody says a digest', async () => {
  const { blobs, bring } = await setUp()
  expect([await bring(null), await bring(null)]).toEqual([file, file])
  expect(blobs.asked).toHaveLength(2)
})

it('refuses one that is not what was ordered, and keeps nothing of it', async () => {
  const { dir, bring } = await setUp()
  await expect(bring('0'.repeat(64))).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}, but its URL gives ${value}`)
  expect(readdirSync(dir)).toEqual([])
})

it('is not pushed out by others while its plan is open', async () => {
  const { dir, cache, bring } = await setUp(150_000)
  const plan = randomUUID()
  await bring(null, plan)
  writeFileSync(join(dir, 'sha256-other'), randomBytes(100_000))
  await bring(value)
  expect(existsSync(join(dir, file))).toBe(true)
  await cache.release(plan)
})
