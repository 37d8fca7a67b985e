import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { manifestBlob } from '../contract/images/manifest.ts'
import { defaultOptions } from '../contract/conductor-options.ts'
import { activate, receive } from '../lambdas/image-service/receive.ts'
import { findEntry, recordStore } from '../lambdas/image-service/records.ts'
import { collect } from '../lambdas/images/collect.ts'
import { dropWholes } from '../lambdas/images/expire.ts'
import { joined } from '../lambdas/images/join.ts'
import type { Platform } from '../lambdas/platform.ts'
import { manifestOf } from '../lambdas/store/image-references.ts'
import { deleteImage, imageBlob } from '../lambdas/store/images.ts'
import { FileBlobs } from './blobs.ts'
import { cutImages } from './cut-images.ts'
import { type SqliteTable, openTable } from './table.ts'

const MIB = 1024 * 1024
const HOUR = 3600 * 1000
const UUID = '00000000-0000-4000-8000-000000000001'
const dir = (): string => mkdtempSync(join(tmpdir(), 'bloomery-cut-'))
let home: string
let now: number
let table: SqliteTable
let blobs: FileBlobs
let platform: Platform

beforeEach(async () => {
  home = dir()
  now = Date.parse('2026-11-23T10:00:00.000Z')
  const clock = { now: () => new Date(now) }
  const log = { info() {}, warn() {}, error() {} }
  table = openTable({ path: ':memory:', clock })
  blobs = new FileBlobs({ dir: home, database: table.database, clock, secret: Buffer.alloc(32), publicUrl: () => '' })
  await blobs.prepare()
  const ids = { uuid: () => UUID, token: () => 'token' }
  platform = { table, blobs, clock, ids, log, options: defaultOptions } as unknown as Platform // there is no bus here
})
afterEach(() => {
  table.close()
  rmSync(home, { recursive: true })
})

/** With one partition of Linux, some of it zeros, and an end that fills no chunk. */
function disk(): Buffer {
  const bytes = Buffer.concat([randomBytes(2 * MIB), Buffer.alloc(3 * MIB), randomBytes(MIB + 512)])
  bytes.fill(0, 446, 510)
  bytes[450] = 0x83
  bytes.writeUInt32LE(2048, 454)
  bytes.writeUInt32LE(4096, 458)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

async function uploaded(bytes: Buffer): Promise<void> {
  const created_at = new Date(now).toISOString()
  const texts = {
    name: 'mine',
    owner: 'p',
    visibility: 'shared' as const,
    container_format: 'bare',
    disk_format: 'raw',
  }
  const flags = { protected: false, hidden: false, min_disk: 0, min_ram: 0 }
  const none = { tags: [], properties: {}, members: [], data: null, download: null }
  const times = { created_at, updated_at: null, version: 1 }
  const record = { uuid: UUID, ...texts, ...flags, ...none, ...times, status: 'saving' as const }
  await recordStore.save(table, undefined, record)
  await activate(platform, { record, image: undefined }, await receive(platform, record, Readable.from([bytes])))
}

const cut = () => cutImages(platform, blobs, new AbortController().signal)
const image = async () => (await findEntry(table, UUID))?.image
const again = async (): Promise<Buffer> =>
  buffer(Readable.from(joined(blobs, UUID, (await manifestOf(blobs, UUID))!), { objectMode: false }))

it('an upload is cut into chunks, and after a day no more is kept than these, which give its bytes again', async () => {
  const bytes = disk()
  await uploaded(bytes)
  await cut()
  expect(await image()).toMatchObject({ disk_format: 'raw', size: bytes.length, manifest: { table: 'mbr' } })
  expect((await again()).equals(bytes)).toBe(true)
  now += 23 * HOUR
  await dropWholes(platform)
  expect(blobs.find(imageBlob(UUID))).toBeDefined()
  now += 2 * HOUR
  await dropWholes(platform)
  expect(blobs.find(imageBlob(UUID))).toBeUndefined()
  await collect(platform, undefined)
  await cut()
  expect((await again()).equals(bytes)).toBe(true)
})

it('one that has no partition table, or that nobody signed where that is asked for, stays the file that came', async () => {
  await uploaded(randomBytes(MIB))
  await cut()
  expect([(await image())?.manifest, blobs.find(imageBlob(UUID))]).toEqual([undefined, expect.anything()])
  await blobs.put(imageBlob(UUID), disk())
  await cutImages({ ...platform, options: { ...defaultOptions, image_keys: ['key'] } }, blobs, AbortSignal.abort())
  expect((await image())?.manifest).toBeUndefined()
})

it('what was begun and broke off is begun again', async () => {
  const bytes = disk()
  await uploaded(bytes)
  const failing = vi.spyOn(blobs, 'put').mockRejectedValue(new Error('the disk is full'))
  await cut()
  expect((await image())?.manifest).toBeUndefined()
  failing.mockRestore()
  await cut()
  expect((await again()).equals(bytes)).toBe(true)
})

it('an image that is deleted while it is cut stays deleted', async () => {
  await uploaded(disk())
  const { put } = blobs
  vi.spyOn(blobs, 'put').mockImplementation(async (key, bytes) => {
    const found = await image()
    if (found) await deleteImage(table, found, new Date(now))
    await put.call(blobs, key, bytes)
  })
  await cut()
  expect([await image(), blobs.find(manifestBlob(UUID))]).toEqual([undefined, undefined])
})

it('a chunk that holds something else is not given out', async () => {
  await uploaded(disk())
  await cut()
  const [chunk] = (await table.query({ index: 'all', pk: 'chunks', limit: 1 })).items
  await blobs.put(`chunks/${(chunk!.value as { sha256: string }).sha256}`, Buffer.from('28b52ffd2000010000', 'hex'))
  await expect(again()).rejects.toThrow(/chunk/)
})
