import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { CHUNK_BYTES, sha256Of } from '../../../contract/images/manifest.ts'
import { newImageKey } from '../../../contract/images/signature.ts'
import { makeImage, type MadeImage, placesOf } from '../../../contract/images/testing.ts'
import type { ByteSource, ImageReference } from '../../../contract/plan-sources.ts'
import { hastyClock } from '../../testing/blob-server.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import { imageServer } from '../server.ts'
import { openChunkCache } from './chunk-cache.ts'
import { openPlansImages } from './plans-images.ts'
import { answerChunked } from './server.ts'

const UUID = '11111111-1111-4111-8111-111111111111'
const disk = Buffer.concat([
  randomBytes(2 * CHUNK_BYTES),
  Buffer.alloc(3 * CHUNK_BYTES),
  randomBytes(CHUNK_BYTES + 500),
])
const made = makeImage(disk)

const reference = (image: MadeImage): ImageReference => ({
  name: 'debian',
  source: { kind: 'blob', key: `images/${UUID}/manifest` },
  size: image.manifest.virtual_size,
  disk_format: 'raw',
  os_hash_algo: 'sha256',
  os_hash_value: image.manifest.sha256,
  manifest: { size: image.text.length, sha256: sha256Of(image.text) },
})

/** A store in the cloud that counts what goes out; `fault` may answer in its stead. */
async function store(image: MadeImage) {
  const state = { bytes: 0, asked: [] as string[], fault: (_path: string, _reply: ServerResponse): boolean => false }
  const server = createServer((request, reply) => {
    const path = (request.url ?? '/').slice(1)
    state.asked.push(path)
    if (state.fault(path, reply)) return
    const [kind = '', which = ''] = path.split('/')
    const page = image.pages[Number(which)]
    const found =
      kind === 'manifest'
        ? Buffer.from(image.text)
        : kind === 'places'
          ? page && Buffer.from(JSON.stringify(placesOf(page, (sha256) => `${base}/chunk/${sha256}`)))
          : image.chunks.get(which)
    if (!found) return void reply.writeHead(404).end()
    state.bytes += found.length
    reply.writeHead(200, { 'content-length': found.length }).end(found)
  })
  // A busy machine may let a connection idle for as long as it is kept, and the next request would meet its end.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const urlOf = (source: ByteSource): string | undefined => {
    const [, , what = '', page = ''] = source.kind === 'blob' ? source.key.split('/') : []
    return what === 'manifest' ? `${base}/manifest` : `${base}/places/${page}`
  }
  return { state, urlOf }
}

type Options = {
  image?: MadeImage
  dir?: string
  quota?: number
  keys?: string[]
  from?: Awaited<ReturnType<typeof store>>
}

/** A site that pulls from there, with its own HTTP server for agents. */
async function site({ image = made, dir = temporaryFolder(), quota = 1 << 30, keys = [], from }: Options = {}) {
  const cloud = from ?? (await store(image))
  const urls = { learn: () => {}, urlOf: cloud.urlOf }
  const cache = openChunkCache({
    dir,
    quota: () => Promise.resolve(quota),
    keys,
    urls,
    refresh: () => {},
    clock: hastyClock,
    get: fetch,
    received: () => {},
  })
  const paths = imageServer({
    secret: 'secret',
    isOpen: () => true,
    path: (file) => file,
    chunked: (plan, path, request, reply) => answerChunked(cache, plans.find(plan)!, path, request, reply),
  })
  const server = createServer(paths.listener)
  // A busy machine may let a connection idle for as long as it is kept, and the next request would meet its end.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const plans = openPlansImages(cache, {
    serve: (plan, manifest) => base + paths.chunkedPathOf(plan, manifest),
    peerToken: () => undefined,
    left: () => {},
  })
  const told: string[] = []
  const fetchFor = (plan: string, which = image) =>
    plans.fetch(reference(which), {
      commandOf: plan,
      signal: AbortSignal.timeout(50_000),
      trouble: (text) => told.push(text),
    })
  return { cloud, cache, plans, dir, told, fetchFor }
}

const rawOf = async (url: string, range?: string): Promise<Buffer> =>
  Buffer.from(await (await fetch(url, { headers: range ? { range } : {} })).arrayBuffer())
const fileOf = (dir: string, sha256: string): string => join(dir, sha256.slice(-2), `chunk-${sha256}`)
const [first] = made.chunks.keys() as unknown as [string]

it('serves the whole disk, put together from chunks, with ranges', async () => {
  const { fetchFor } = await site()
  const served = await fetchFor('p')
  expect(served).toMatchObject({ algorithm: 'sha256', digest: made.manifest.sha256 })
  expect((await rawOf(served.url)).equals(disk)).toBe(true)
  const from = 2 * CHUNK_BYTES - 7
  expect((await rawOf(served.url, `bytes=${from}-${from + 20}`)).equals(disk.subarray(from, from + 21))).toBe(true)
  expect((await rawOf(served.url, 'bytes=-500')).equals(disk.subarray(-500))).toBe(true)
  expect((await fetch(served.url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(disk.length))
  expect((await fetch(served.url, { headers: { range: `bytes=${disk.length}-` } })).status).toBe(416)
})

it('brings each byte over the WAN once, however many ask at once and in whatever way', async () => {
  const { fetchFor, cloud } = await site()
  const plans = Array.from({ length: 32 }, (_, index) => `plan-${index}`)
  const digests = await Promise.all(
    plans.map(async (plan, index) => {
      const { url, manifest } = await fetchFor(plan)
      if (index % 2 === 0) return sha256Of(await rawOf(url))
      for (const sha256 of made.chunks.keys())
        expect((await rawOf(manifest!.replace(/manifest$/, `chunks/${sha256}`))).equals(made.chunks.get(sha256)!)).toBe(
          true,
        )
      return made.manifest.sha256
    }),
  )
  expect(new Set(digests)).toEqual(new Set([made.manifest.sha256]))
  const chunks = cloud.state.asked.filter((path) => path.startsWith('chunk/'))
  expect(chunks).toHaveLength(made.chunks.size)
  const plain = made.manifest.stored_size
  expect(cloud.state.bytes / plain).toBeLessThan(1.02)
})

it('serves an agent page and chunk, and nothing that is not of its image', async () => {
  const { fetchFor, plans } = await site()
  const { manifest } = await fetchFor('p')
  const at = (path: string): string => manifest!.replace(/manifest$/, path)
  expect(JSON.parse(String(await rawOf(at('pages/0'))))).toEqual(made.pages[0])
  for (const path of ['pages/1', 'pages/x', `chunks/${'0'.repeat(64)}`, 'chunks/..%2f..', 'else'])
    expect([path, (await fetch(at(path))).status]).toEqual([path, 404])
  plans.release('p')
  expect(plans.find('p')).toBeUndefined()
})

it('a later life of the program finds what is here, and asks for nothing again', async () => {
  const one = await site()
  await rawOf((await one.fetchFor('p')).url)
  const asked = one.cloud.state.asked.length
  const two = await site({ dir: one.dir, from: one.cloud })
  expect(sha256Of(await rawOf((await two.fetchFor('p')).url))).toBe(made.manifest.sha256)
  expect(one.cloud.state.asked).toHaveLength(asked)
})

it('what a power cut tore or a disk let rot is fetched again, never served', async () => {
  const one = await site()
  await rawOf((await one.fetchFor('p')).url)
  const [a, b] = [...made.chunks.keys()] as [string, string]
  truncateSync(fileOf(one.dir, a), 1000)
  const bytes = readFileSync(fileOf(one.dir, b))
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(fileOf(one.dir, b), bytes)
  writeFileSync(`${fileOf(one.dir, a)}.1.1.part`, 'half')
  const two = await site({ dir: one.dir, from: one.cloud })
  const before = one.cloud.state.asked.length
  expect(sha256Of(await rawOf((await two.fetchFor('p')).url))).toBe(made.manifest.sha256)
  expect(one.cloud.state.asked.slice(before).sort()).toEqual([`chunk/${a}`, `chunk/${b}`, 'places/0'].sort())
  expect(readdirSync(join(one.dir, a.slice(-2))).filter((name) => name.endsWith('.part'))).toEqual([])
})

it('a chunk that an agent found wrong is looked at again', async () => {
  const { fetchFor, dir } = await site()
  const { manifest, url } = await fetchFor('p')
  await rawOf(url)
  const rotten = Buffer.alloc(made.chunks.get(first)!.length, 'rotten')
  writeFileSync(fileOf(dir, first), rotten)
  const chunk = manifest!.replace(/manifest$/, `chunks/${first}`)
  expect((await rawOf(chunk)).equals(rotten)).toBe(true)
  expect((await rawOf(`${chunk}?again`)).equals(made.chunks.get(first)!)).toBe(true)
})

it('a chunk that became shorter on this site’s disk is fetched anew', async () => {
  const { fetchFor, dir } = await site()
  const { manifest, url } = await fetchFor('p')
  await rawOf(url)
  writeFileSync(fileOf(dir, first), made.chunks.get(first)!.subarray(1))
  const chunk = manifest!.replace(/manifest$/, `chunks/${first}`)
  expect((await rawOf(chunk)).equals(made.chunks.get(first)!)).toBe(true)
})

it('stalls, broken lines and servers’ faults pass; bytes that stay wrong are told', async () => {
  const { fetchFor, cloud, told } = await site()
  const met = new Set<string>()
  cloud.state.fault = (path, reply) => {
    if (met.has(path)) return false
    met.add(path)
    if (path.startsWith('places')) reply.writeHead(403).end()
    else if (met.size % 2) reply.destroy()
    else reply.writeHead(503).end()
    return true
  }
  expect(sha256Of(await rawOf((await fetchFor('p')).url))).toBe(made.manifest.sha256)
  expect(told.join()).toMatch(/HTTP 403/)
  const other = await site()
  other.cloud.state.fault = (path, reply) => {
    if (!path.startsWith('chunk/')) return false
    reply.end(made.chunks.get([...made.chunks.keys()].at(-1)!)!.subarray(5))
    return true
  }
  const { manifest } = await other.fetchFor('p')
  const reply = await fetch(manifest!.replace(/manifest$/, `chunks/${first}`))
  expect([reply.status, await reply.text()]).toEqual([502, expect.stringMatching(/not what was ordered/)])
})

it('accepts only what one of its keys signed, and only the disk that was ordered', async () => {
  const key = newImageKey()
  const strict = await site({ keys: [key.publicKey] })
  await expect(strict.fetchFor('p')).rejects.toThrow(/not signed/)
  const signed = makeImage(disk, key.privateKey)
  const trusting = await site({ keys: [key.publicKey], image: signed })
  expect(await trusting.fetchFor('p', signed)).toMatchObject({ digest: signed.manifest.sha256 })
  const { plans, cloud } = await site()
  cloud.state.fault = () => false
  const other = { ...reference(made), os_hash_value: 'b'.repeat(64) }
  const options = { commandOf: 'q', signal: AbortSignal.timeout(50_000), trouble: () => {} }
  await expect(plans.fetch(other, options)).rejects.toThrow(/another disk/)
})

it('lets go of what was used longest ago, never of what an open plan needs, and serves on without room', async () => {
  const old = makeImage(randomBytes(3 * CHUNK_BYTES))
  const dir = temporaryFolder()
  const quota = 4 * CHUNK_BYTES
  const before = await site({ dir, quota, image: old })
  await rawOf((await before.fetchFor('a', old)).url)
  const after = await site({ dir, quota })
  expect(sha256Of(await rawOf((await after.fetchFor('b')).url))).toBe(made.manifest.sha256)
  const left = readdirSync(dir).flatMap((folder) => readdirSync(join(dir, folder)))
  for (const sha256 of made.chunks.keys()) expect(left).toContain(`chunk-${sha256}`)
  expect(left.filter((name) => [...old.chunks.keys()].some((sha256) => name.endsWith(sha256))).length).toBeLessThan(3)
  const none = await site({ quota: 0 })
  expect(sha256Of(await rawOf((await none.fetchFor('c')).url))).toBe(made.manifest.sha256)
  expect(readdirSync(none.dir).flatMap((folder) => readdirSync(join(none.dir, folder)))).toEqual([])
})

it('a plan that is cancelled takes nothing from another that waits for the same chunk', async () => {
  const { cloud, cache, plans } = await site()
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => (letGo = resolve))
  cloud.state.fault = (path, reply) => {
    if (!path.startsWith('chunk/')) return false
    void held.then(() => reply.end(made.chunks.get(path.slice(6))))
    return true
  }
  const options = (plan: string) => ({ commandOf: plan, signal: AbortSignal.timeout(50_000), trouble: () => {} })
  await plans.fetch(reference(made), options('a'))
  await plans.fetch(reference(made), options('b'))
  const cancelled = new AbortController()
  const a = cache.stored(plans.find('a')!.image, first, plans.find('a')!.want(true, cancelled.signal))
  const b = cache.stored(plans.find('b')!.image, first, plans.find('b')!.want(true, AbortSignal.timeout(50_000)))
  cancelled.abort(new Error('cancelled'))
  plans.release('a')
  await expect(a).rejects.toThrow(/cancelled|ended/)
  letGo()
  expect((await b).equals(made.chunks.get(first)!)).toBe(true)
})
