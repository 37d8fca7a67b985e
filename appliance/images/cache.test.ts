import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { ByteSource, ConfigDriveReference, ImageReference } from '../../contract/plan-sources.ts'
import { blobServer, hastyClock, type BlobServer } from '../testing/blob-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { openCache } from './cache.ts'
import type { FetchOptions } from './images.ts'

const bytes = randomBytes(200_000)
const sha256 = (of: Buffer): string => createHash('sha256').update(of).digest('hex')
const digest = sha256(bytes)
const file = `sha256-${digest}`

const image = (more: Partial<ImageReference> = {}): ImageReference => ({
  name: 'debian',
  source: { kind: 'blob', key: 'image' },
  size: bytes.length,
  disk_format: 'raw',
  os_hash_algo: 'sha256',
  os_hash_value: digest,
  ...more,
})

async function setUp(options: { quota?: number; inUse?: string[]; blobs?: BlobServer; dir?: string } = {}) {
  const blobs = options.blobs ?? (await blobServer(bytes))
  const dir = options.dir ?? join(temporaryFolder(), 'images')
  const refreshed: ByteSource[] = []
  const cache = openCache({
    dir,
    quota: options.quota ?? 1 << 20,
    urls: { learn: () => {}, urlOf: (source) => (source.kind === 'blob' ? blobs.url : undefined) },
    refresh: (source) => refreshed.push(source),
    clock: hastyClock,
    get: fetch,
    inUse: () => options.inUse ?? [],
    serve: (plan, name) => `http://site/${plan}/${name}`,
  })
  return { cache, dir, blobs, refreshed }
}

function options(more: Partial<FetchOptions> = {}) {
  const troubles: string[] = []
  const percents: number[] = []
  const plan = randomUUID()
  return {
    troubles,
    percents,
    commandOf: plan,
    signal: new AbortController().signal,
    trouble: (text: string) => void troubles.push(text),
    progress: (percent: number) => void percents.push(percent),
    ...more,
  }
}

it('brings an image and says where this plan’s agent gets it', async () => {
  const { cache, dir } = await setUp()
  const mine = options()
  expect(await cache.fetch(image(), mine)).toEqual({
    url: `http://site/${mine.commandOf}/${file}`,
    algorithm: 'sha256',
    digest,
  })
  expect(readFileSync(join(dir, file)).equals(bytes)).toBe(true)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
})

it('brings it once for twenty plans that want it at once, and tells each how far it is', async () => {
  const { cache, blobs } = await setUp()
  const all = Array.from({ length: 20 }, () => options())
  const served = await Promise.all(all.map((each) => cache.fetch(image(), each)))
  expect(blobs.asked.length).toBe(1)
  expect(new Set(served.map(({ url }) => url)).size).toBe(20)
  expect(all.every(({ percents }) => percents.at(-1) === 100)).toBe(true)
})

it('has it for the next plan, also after a restart', async () => {
  const first = await setUp()
  await first.cache.fetch(image(), options())
  const { cache, blobs } = await setUp({ dir: first.dir, blobs: first.blobs })
  await cache.fetch(image(), options())
  expect(blobs.asked.length).toBe(1)
})

it('goes on for those who wait when the plan that fetched is stopped', async () => {
  const { cache, blobs, dir } = await setUp()
  const stop = new AbortController()
  blobs.fault = (nth, reply) => {
    if (nth > 1) return false
    reply.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 50_000))
    const part = join(dir, `${file}.part`)
    const arrived = (): boolean => existsSync(part) && statSync(part).size === 50_000
    void vi.waitUntil(arrived, { timeout: 30_000 }).finally(() => stop.abort(new Error('superseded')))
    return true
  }
  const first = expect(cache.fetch(image(), options({ signal: stop.signal }))).rejects.toThrow('superseded')
  const others = Promise.all([1, 2, 3].map(() => cache.fetch(image(), options())))
  await first
  expect((await others).length).toBe(3)
  expect(blobs.asked).toEqual([undefined, 'bytes=50000-'])
  expect(readFileSync(join(dir, file)).equals(bytes)).toBe(true)
})

it('lets a plan that waits leave, and the transfer goes on', async () => {
  const { cache, blobs } = await setUp()
  const stop = new AbortController()
  let release = (): void => {}
  blobs.fault = (_, reply) => {
    release = () => void reply.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    return true
  }
  const first = cache.fetch(image(), options())
  const waiting = cache.fetch(image(), options({ signal: stop.signal }))
  await expect.poll(() => blobs.asked.length).toBe(1)
  stop.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
  await expect(cache.fetch(image(), options({ signal: stop.signal }))).rejects.toThrow('cancelled')
  release()
  await expect(first).resolves.toMatchObject({ digest })
})

it('names image, expected and actual digest when its source gives something else, to all who wait', async () => {
  const { cache, dir, blobs } = await setUp()
  const wrong = image({ os_hash_value: '0'.repeat(64) })
  const said = `image debian is not what was ordered: expected sha256 ${'0'.repeat(64)}, but its source gives ${digest}`
  const failed = [1, 2, 3].map(() => expect(cache.fetch(wrong, options())).rejects.toThrow(said))
  await Promise.all(failed)
  expect(readdirSync(dir)).toEqual([])
  expect(blobs.asked.length).toBe(1)
})

it('asks for a fresh URL where one has expired', async () => {
  const { cache, blobs, refreshed } = await setUp()
  blobs.fault = (nth, reply) => nth === 1 && Boolean(reply.writeHead(403).end())
  await cache.fetch(image(), options())
  expect(refreshed).toEqual([{ kind: 'blob', key: 'image' }])
})

function put(dir: string, name: string, size: number, minutesAgo: number): void {
  const path = join(dir, name)
  writeFileSync(path, Buffer.alloc(size))
  const then = new Date(Date.now() - minutesAgo * 60_000)
  utimesSync(path, then, then)
}

it('drops what was used longest ago, whole or begun, and nothing that a plan needs', async () => {
  const { cache, dir } = await setUp({ quota: 500_000, inUse: ['sha256-needed', 'sha256-moving'] })
  put(dir, 'sha256-oldest', 200_000, 50)
  put(dir, 'sha256-left.part', 200_000, 40)
  put(dir, 'sha256-needed', 100_000, 60)
  put(dir, 'sha256-moving.part', 100_000, 60)
  put(dir, 'sha256-young', 100_000, 1)
  await cache.fetch(image(), options())
  expect(readdirSync(dir).toSorted()).toEqual([file, 'sha256-moving.part', 'sha256-needed', 'sha256-young'].toSorted())
})

it('makes room before it fetches', async () => {
  const { cache, dir, blobs } = await setUp({ quota: 300_000 })
  put(dir, 'sha256-old', 200_000, 50)
  let there = true
  blobs.fault = () => {
    there = existsSync(join(dir, 'sha256-old'))
    return false
  }
  await cache.fetch(image(), options())
  expect(there).toBe(false)
})

it('refuses what the cache could never hold', async () => {
  const { cache } = await setUp({ quota: 1000 })
  await expect(cache.fetch(image(), options())).rejects.toThrow(
    "larger than the 1000 bytes that this site's cache allows",
  )
})

const drive = (more: Partial<ConfigDriveReference> = {}): ConfigDriveReference => ({
  source: { kind: 'blob', key: 'drive' },
  size: bytes.length,
  sha256: digest,
  ...more,
})

it('keeps a config drive as long as its plan', async () => {
  const { cache, dir, blobs } = await setUp()
  const mine = options()
  const got = await cache.configDrive(drive(), mine)
  expect(Buffer.from(got, 'latin1').equals(bytes)).toBe(true)
  await cache.configDrive(drive(), mine)
  expect(blobs.asked.length).toBe(1)
  expect(readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([0o600])
  await cache.release(mine.commandOf)
  expect(readdirSync(dir)).toEqual([])
})

it('refuses a config drive that is another or too large', async () => {
  const { cache, dir } = await setUp()
  const wrong = cache.configDrive(drive({ sha256: '0'.repeat(64) }), options())
  await expect(wrong).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}, got ${digest}`)
  await expect(cache.configDrive(drive({ size: 65 * 2 ** 20 }), options())).rejects.toThrow('more than a config drive')
  expect(readdirSync(dir)).toEqual([])
})

it('finds out that its copy has rotted, drops it and brings it again', async () => {
  const { cache, dir, blobs } = await setUp()
  await cache.fetch(image(), options())
  const { signal } = options()
  expect(await cache.isSound(image(), options({ signal }))).toBe(true)
  const rotten = Buffer.from(bytes)
  rotten[100_000]! ^= 1
  writeFileSync(join(dir, file), rotten)
  expect(await cache.isSound(image(), options({ signal }))).toBe(false)
  expect(existsSync(join(dir, file))).toBe(false)
  await cache.fetch(image(), options())
  expect(readFileSync(join(dir, file)).equals(bytes)).toBe(true)
  expect(blobs.asked.length).toBe(2)
})

/** A disk of 1 MiB of which nothing was ever written (QEMU's docs/interop/qcow2, version 2): header, refcounts, one empty L1 table. */
function emptyQcow2(): Buffer {
  const cluster = 65_536
  const image = Buffer.alloc(3 * cluster)
  image.write('QFI\xfb', 'latin1')
  image.writeUInt32BE(2, 4)
  image.writeUInt32BE(16, 20)
  image.writeBigUInt64BE(1n << 20n, 24)
  image.writeUInt32BE(1, 36)
  image.writeBigUInt64BE(BigInt(2 * cluster), 40)
  image.writeBigUInt64BE(BigInt(cluster), 48)
  image.writeUInt32BE(1, 56)
  return image
}

it('tells agents the digest that a converted image had when it was made, and makes it anew where it has rotted since', async () => {
  const qcow2 = emptyQcow2()
  const of = image({ disk_format: 'qcow2', size: qcow2.length, os_hash_value: sha256(qcow2) })
  const { cache, dir } = await setUp({ blobs: await blobServer(qcow2) })
  const { digest: whole } = await cache.fetch(of, options())
  const raw = join(dir, `sha256-${sha256(qcow2)}.raw`)
  const rotten = readFileSync(raw)
  rotten[7] = 1
  writeFileSync(raw, rotten)
  const later = await setUp({ dir, blobs: await blobServer(qcow2) })
  expect((await later.cache.fetch(of, options())).digest).toBe(whole)
  expect(await later.cache.isSound(of, options())).toBe(false)
  expect(existsSync(raw)).toBe(false)
  expect((await later.cache.fetch(of, options())).digest).toBe(whole)
  expect(sha256(readFileSync(raw))).toBe(whole)
})
