import { expect, it } from 'vitest'
import type { Image } from '../../contract/resources.ts'
import { expireImages } from '../../lambdas/images/expire.ts'
import type { Platform } from '../../lambdas/platform.ts'
import { createImage, findImage, imageBlob, imageUseKey } from '../../lambdas/store/images.ts'
import { openTable } from '../../standalone/table.ts'
import { memoryBlobs } from './control-plane.ts'

const now = new Date('2026-11-23T10:00:00Z')
const image = (name: string, expires_at: string | null | undefined): Image => ({
  uuid: crypto.randomUUID(),
  name,
  state: 'active',
  size: 1,
  disk_format: 'raw',
  os_hash_algo: 'sha256',
  os_hash_value: 'a'.repeat(64),
  ...(expires_at !== undefined && { expires_at }),
  created_at: now.toISOString(),
  updated_at: null,
  version: 1,
})

it('images whose time is over are deleted with their bytes, but for those that a node names', async () => {
  const table = openTable({ path: ':memory:', clock: { now: () => now }, patience: { tries: 3, pauseMs: 1 } })
  const stored = new Map<string, Uint8Array>()
  const blobs = memoryBlobs(stored)
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const images = {
    over: image('over', '2026-11-23T09:59:59Z'),
    used: image('used', '2026-11-23T09:59:59Z'),
    later: image('later', '2026-11-23T10:00:01Z'),
    always: image('always', null),
    old: image('old', undefined),
  }
  for (const each of Object.values(images)) {
    await createImage(table, each)
    stored.set(imageBlob(each.uuid), new Uint8Array(1))
  }
  await table.write([{ put: { ...imageUseKey('used', { uuid: crypto.randomUUID() }), version: 1, value: {} } }])
  await expireImages({ table, blobs, clock: { now: () => now }, log } as unknown as Platform)
  const left = await Promise.all(Object.keys(images).map((name) => findImage(table, name)))
  expect(left.map((each) => each?.name)).toEqual([undefined, 'used', 'later', 'always', 'old'])
  expect(stored.has(imageBlob(images.over.uuid))).toBe(false)
  expect(stored.size).toBe(4)
})
