import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { canonical } from '../../contract/images/canonical.ts'
import {
  CHUNK_BYTES,
  chunkBlob,
  imagePlaces,
  type ImageManifest,
  type ImagePage,
  pageDigest,
  PAGE_CHUNKS,
  placesBlob,
} from '../../contract/images/manifest.ts'
import { newImageKey, signManifest } from '../../contract/images/signature.ts'
import { alive, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

const HOUR = 3600

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function manifestOf(page: ImagePage): ImageManifest {
  return {
    v: 1,
    chunk_bytes: CHUNK_BYTES,
    page_chunks: PAGE_CHUNKS,
    virtual_size: page.length * CHUNK_BYTES,
    sha256: 'f'.repeat(64),
    pages: [pageDigest(page)],
    stored_size: 100,
    source_format: 'raw',
    layout: { table: 'none', sector: 0, partitions: [] },
    boot_modes: ['bios'],
  }
}

const chunk = (text: string) => ({ sha256: sha(Buffer.from(text)), bytes: Buffer.from(`stored ${text}`) })
const [a, b, c] = [chunk('a'), chunk('b'), chunk('c')]

/** Uploads what the store lacks; how many that were. */
async function upload(cloud: ControlPlane, push: string, chunks: Array<typeof a>): Promise<number> {
  const asked = chunks.map(({ sha256, bytes }) => ({ sha256, stored: { sha256: sha(bytes), size: bytes.length } }))
  const { chunks: answers } = await cloud.client.imagePushes.chunks(push, { chunks: asked })
  const lacking = answers.filter(({ upload: to }) => to !== undefined)
  for (const { sha256 } of lacking)
    cloud.blobs.set(chunkBlob(sha256), chunks.find((each) => each.sha256 === sha256)!.bytes)
  return lacking.length
}

async function push(cloud: ControlPlane, name: string, chunks: Array<typeof a>) {
  const { uuid } = await cloud.client.imagePushes.begin(name)
  const uploaded = await upload(cloud, uuid, chunks)
  const page: ImagePage = [...chunks.map(({ sha256 }) => sha256), null]
  await cloud.client.imagePushes.page(uuid, '0', page)
  const image = await cloud.client.imagePushes.complete(uuid, signManifest(manifestOf(page), undefined))
  return { uploaded, image }
}

it('an image in chunks brings only what the store lacks', async () => {
  await using cloud = await openControlPlane()
  const first = await push(cloud, 'v1', [a, b])
  expect(first).toMatchObject({ uploaded: 2, image: { name: 'v1', state: 'active', disk_format: 'raw' } })
  expect(first.image.manifest).toMatchObject({ source_format: 'raw', boot_modes: ['bios'], key: null })
  expect(await push(cloud, 'v2', [a, c])).toMatchObject({ uploaded: 1 })
  expect((await cloud.client.images.list()).map(({ name }) => name).sort()).toEqual(['v1', 'v2'])
  await expect(cloud.client.imagePushes.begin('v1')).rejects.toMatchObject({ status: 409 })
})

it('a push that lacks a chunk, a page or a signature is refused', async () => {
  await using cloud = await openControlPlane({ strategy: 'noauth' }, { image_keys: [newImageKey().publicKey] })
  const { uuid } = await cloud.client.imagePushes.begin('i')
  await expect(cloud.client.imagePushes.page(uuid, '0', [a.sha256])).rejects.toThrow(/1 of its chunks are not stored/)
  const page = [a.sha256, null]
  const manifest = manifestOf(page)
  await expect(cloud.client.imagePushes.complete(uuid, signManifest(manifest, undefined))).rejects.toThrow(/not signed/)
  const { privateKey } = newImageKey()
  await expect(cloud.client.imagePushes.complete(uuid, signManifest(manifest, privateKey))).rejects.toThrow(/accepted/)
  await using open = await openControlPlane()
  const again = await open.client.imagePushes.begin('i')
  await expect(open.client.imagePushes.complete(again.uuid, signManifest(manifest, undefined))).rejects.toThrow(
    /page 0 is not stored/,
  )
  await upload(open, again.uuid, [a])
  await open.client.imagePushes.page(again.uuid, '0', page)
  const larger = { ...manifest, virtual_size: 3 * CHUNK_BYTES }
  await expect(open.client.imagePushes.complete(again.uuid, signManifest(larger, undefined))).rejects.toThrow(/chunks/)
  await open.client.imagePushes.complete(again.uuid, signManifest(manifest, undefined))
  await expect(open.client.imagePushes.page(again.uuid, '0', page)).rejects.toMatchObject({ status: 404 })
})

it('chunks go when neither an image nor a push needs them, some time after a deletion', async () => {
  await using cloud = await openControlPlane()
  await push(cloud, 'v1', [a, b])
  await push(cloud, 'v2', [a, c])
  const unfinished = await cloud.client.imagePushes.begin('v3')
  await upload(cloud, unfinished.uuid, [b])
  await cloud.client.images.delete('v1')
  cloud.pass(2 * HOUR)
  await cloud.tick()
  expect(cloud.blobs.has(chunkBlob(b.sha256))).toBe(true)
  cloud.pass(30 * HOUR)
  await cloud.tick()
  cloud.pass(2 * HOUR)
  await cloud.tick()
  expect([a, b, c].map(({ sha256 }) => cloud.blobs.has(chunkBlob(sha256)))).toEqual([true, false, true])
  expect([...cloud.blobs.keys()].filter((key) => key.startsWith('images/'))).toHaveLength(2)
  expect(await push(cloud, 'v4', [a, b])).toMatchObject({ uploaded: 1 })
})

it('what was uploaded by a push that broke off is found by the next one', async () => {
  await using cloud = await openControlPlane()
  const { uuid } = await cloud.client.imagePushes.begin('i')
  await upload(cloud, uuid, [a, randomChunk()])
  cloud.pass(2 * HOUR)
  await cloud.tick()
  expect(await push(cloud, 'i', [a, b])).toMatchObject({ uploaded: 1 })
})

it('a site gets a page with URLs of its chunks, and only sites of images that are there', async () => {
  await using cloud = await openControlPlane()
  const { appliance } = await withSite(cloud)
  const { image } = await push(cloud, 'v1', [a, b])
  const key = placesBlob(image.uuid, 0)
  const refresh = [key, placesBlob('00000000-0000-4000-8000-000000000000', 0), chunkBlob(a.sha256)]
  await alive(cloud, appliance, { hello: true, refresh })
  const sent = cloud.sent(appliance).find((message) => message.kind === 'urls')
  expect(Object.keys(sent?.kind === 'urls' ? sent.urls : {})).toEqual([key])
  const places = imagePlaces.parse(JSON.parse(Buffer.from(cloud.blobs.get(key)!).toString()))
  expect(places.chunks).toEqual([a.sha256, b.sha256, null])
  expect(Object.keys(places.urls).sort()).toEqual([a.sha256, b.sha256].sort())
  expect(canonical(places.chunks)).toBe(JSON.stringify(places.chunks))
})

it('a chunk that was stored as a patch comes with what it is a patch upon, which stays as long as it does', async () => {
  await using cloud = await openControlPlane()
  const { appliance } = await withSite(cloud)
  await push(cloud, 'v1', [a])
  const { uuid } = await cloud.client.imagePushes.begin('v2')
  const patch = (of: typeof a, ...bases: Array<typeof a>) => ({
    sha256: of.sha256,
    stored: { sha256: sha(of.bytes), size: of.bytes.length, bases: bases.map(({ sha256 }) => sha256) },
  })
  const say = async (...chunks: Array<ReturnType<typeof patch>>) =>
    (await cloud.client.imagePushes.chunks(uuid, { chunks })).chunks
  // Upon what isn't there, and upon itself, it can't be.
  expect(await say(patch(b, c), patch(c, c))).toMatchObject([{ whole: true }, { whole: true }])
  const [answer] = await say(patch(b, a))
  expect(answer).toMatchObject({ state: 'lacking', upload: {} })
  cloud.blobs.set(chunkBlob(b.sha256), b.bytes)
  expect(await say(patch(b, a))).toMatchObject([{ state: 'held', depth: 1 }])
  const page = [b.sha256]
  await cloud.client.imagePushes.page(uuid, '0', page)
  const image = await cloud.client.imagePushes.complete(uuid, signManifest(manifestOf(page), undefined))
  const places = placesBlob(image.uuid, 0)
  await alive(cloud, appliance, { hello: true, refresh: [places] })
  const { chunks, urls } = imagePlaces.parse(JSON.parse(Buffer.from(cloud.blobs.get(places)!).toString()))
  expect([chunks, Object.keys(urls).sort()]).toEqual([page, [a.sha256, b.sha256].sort()])
  const later = async (): Promise<boolean[]> => {
    for (const hours of [30, 2, 30, 2, 2, 2]) {
      cloud.pass(hours * HOUR)
      await cloud.tick()
    }
    return [a, b].map(({ sha256 }) => cloud.blobs.has(chunkBlob(sha256)))
  }
  await cloud.client.images.delete('v1')
  expect(await later()).toEqual([true, true])
  await cloud.client.images.delete('v2')
  expect(await later()).toEqual([false, false])
  expect([...cloud.blobs.keys()].filter((key) => key.startsWith('images/'))).toEqual([])
})

function randomChunk(): typeof a {
  return chunk(randomBytes(8).toString('hex'))
}
