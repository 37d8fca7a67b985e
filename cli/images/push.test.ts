import { randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { openRaw } from '@bloomery/image/raw.ts'
import { expect, it } from 'vitest'
import { CHUNK_BYTES, type ImageManifest, type ImagePage, sha256Of } from '../../contract/images/manifest.ts'
import { dictionaryOf, readPatch } from '../../contract/images/patch.ts'
import type { ChunkAnswer, PushedChunks } from '../../contract/images/push.ts'
import { openBase } from './base.ts'
import { pushImage, type Pushing } from './push.ts'

/** A store as the cloud has it: what was uploaded stays, also of a push that breaks off. */
function openStore() {
  const objects = new Map<string, { bytes: Buffer; bases: string[] }>()
  const state = { puts: 0, breaksAt: Infinity, takesPatches: true, manifest: undefined as ImageManifest | undefined }
  const awaited = new Map<string, string[]>()
  const answer = ({ sha256, stored }: PushedChunks['chunks'][number]): ChunkAnswer => {
    const found = objects.get(sha256)
    if (found) return { sha256, state: 'held', size: found.bytes.length }
    if (!stored) return { sha256, state: 'lacking' }
    if (stored.bases && !state.takesPatches) return { sha256, state: 'lacking', whole: true }
    awaited.set(sha256, stored.bases ?? [])
    return { sha256, state: 'lacking', upload: { url: sha256, headers: {} } }
  }
  const pages: ImagePage[] = []
  const client = {
    imagePushes: {
      begin: async () => ({ uuid: 'push' }),
      chunks: async (_: string, { chunks }: PushedChunks) => ({ chunks: chunks.map(answer) }),
      page: async (_: string, number: string, page: ImagePage) => void (pages[Number(number)] = page),
      complete: async (_: string, { manifest }: { manifest: ImageManifest }) => {
        state.manifest = manifest
        return {}
      },
    },
  } as unknown as Pushing['client']
  const put: Pushing['put'] = async ({ url: sha256 }, bytes) => {
    state.puts += 1
    if (state.puts > state.breaksAt) throw new Error('the line is cut')
    objects.set(sha256, { bytes, bases: awaited.get(sha256)! })
  }
  const plain = (sha256: string): Buffer => {
    const { bytes, bases } = objects.get(sha256)!
    const patch = readPatch(bytes)
    expect(patch?.bases ?? []).toEqual(bases)
    const options = patch && { dictionary: dictionaryOf(patch.bases.map(plain)) }
    return zstdDecompressSync(patch?.frame ?? bytes, options)
  }
  return {
    objects,
    state,
    client,
    put,
    disk: () => Buffer.concat(pages[0]!.map((each) => (each ? plain(each) : Buffer.alloc(CHUNK_BYTES)))),
  }
}

const diskOf = (bytes: Buffer) =>
  openRaw({
    size: bytes.length,
    read: async (position, length) => Buffer.from(bytes.subarray(position, position + length)),
  })
const nothing = (): void => {}

async function push({ client, put }: ReturnType<typeof openStore>, bytes: Buffer, upon?: Buffer): Promise<void> {
  await using base = upon && (await openBase(diskOf(upon), nothing))
  await pushImage({
    client,
    put,
    name: 'debian',
    base,
    key: undefined,
    progress: { read: nothing, stored: nothing, skipped: nothing },
    source: {
      name: 'debian',
      format: 'raw',
      disk: diskOf(bytes),
      layout: { table: 'none', sector: 0, partitions: [] },
      bootModes: [],
      [Symbol.asyncDispose]: async () => {},
    },
  })
}

const first = Buffer.concat([randomBytes(5 * CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES), randomBytes(2 * CHUNK_BYTES)])

it('a push that broke off sends, begun again, only what had not arrived', async () => {
  const store = openStore()
  store.state.breaksAt = 4
  await expect(push(store, first)).rejects.toThrow('the line is cut')
  const arrived = store.objects.size
  expect(arrived).toBe(4)
  Object.assign(store.state, { puts: 0, breaksAt: Infinity })
  await push(store, first)
  expect(store.state.puts).toBe(7 - arrived)
  expect(store.disk().equals(first)).toBe(true)
  expect(store.state.manifest).toMatchObject({ sha256: sha256Of(first), virtual_size: first.length })
})

it('upon an earlier version it sends what is new in it, wherever the rest stood there', async () => {
  const store = openStore()
  await push(store, first)
  const whole = store.state.manifest!.stored_size
  store.state.puts = 0
  // All files stand a few blocks further on, and one block in twenty is another.
  const second = Buffer.concat([first.subarray(-5 * 4096), first.subarray(0, -5 * 4096)])
  for (let at = 0; at < second.length; at += 20 * 4096) randomBytes(4096).copy(second, at)
  await push(store, second, first)
  expect(store.state.puts).toBe(8)
  expect(store.disk().equals(second)).toBe(true)
  // The hole's twentieth is new as well.
  expect(store.state.manifest!.stored_size / whole).toBeLessThan(0.08)
})

it('what a store wants whole it gets whole, and a base that the store has not got is of no use', async () => {
  const store = openStore()
  await push(store, first)
  const second = Buffer.from(first)
  randomBytes(4096).copy(second, 4096)
  store.state.takesPatches = false
  await push(store, second, first)
  expect(store.disk().equals(second)).toBe(true)
  const other = openStore()
  await push(other, second, first)
  expect(other.disk().equals(second)).toBe(true)
  expect([...other.objects.values()].every(({ bases }) => bases.length === 0)).toBe(true)
})
