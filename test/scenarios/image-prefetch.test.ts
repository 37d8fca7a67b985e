import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, IMAGE } from '../rack/paper/fleet.ts'
import { run, serve, type Served } from './bloomery-process.ts'

const MiB = 1024 * 1024
let dir: string
let cloud: Served
let fleet: Fleet
let received = 0

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-prefetch-'))
  cloud = await serve(join(dir, 'data'))
  const imageBytes = (bytes: number): void => void (received += bytes)
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 20, imageBytes })
  await fleet.join()
  await fleet.makeAvailable(fleet.members, 140_000)
}, 300_000)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.kill('SIGTERM')
  rmSync(dir, { recursive: true, force: true })
})

const bloomery = (...args: string[]) => run([...args, '--endpoint', cloud.endpoint])

test('an image that was fetched to a site beforehand crosses the line to it no more when it is deployed', async () => {
  writeFileSync(join(dir, 'v1.raw'), Buffer.concat([randomBytes(3 * MiB), Buffer.alloc(MiB)]))
  expect(await bloomery('image', 'push', join(dir, 'v1.raw'))).toMatchObject({ code: 0 })
  const { manifest } = await fleet.client.images.get('v1')
  const fetched = await bloomery('image', 'prefetch', 'v1', '--site', 'site-1')
  expect(fetched).toMatchObject({ code: 0, stdout: expect.stringContaining('Image v1 is at site site-1') })
  expect(received).toBeGreaterThanOrEqual(manifest!.stored_size)
  const before = received
  await fleet.startDeploy(fleet.members, 'v1')
  await fleet.reach(fleet.members, 'active', 140_000)
  expect(received).toBe(before)
  const shown = await bloomery('image', 'show', 'v1')
  expect(shown.stdout).toMatch(/nodes that name it +1\n/)
  expect(shown.stdout).toMatch(/prefetched +site-1\/\S+ done \(100 %\)/)
}, 300_000)

test('an image in one file is fetched beforehand too; what can’t be is told', async () => {
  await fleet.pushImage('whole')
  expect(await bloomery('image', 'prefetch', 'whole', '--site', 'site-1')).toMatchObject({ code: 0 })
  const { prefetches } = await fleet.client.images.prefetches('whole')
  expect(prefetches).toMatchObject([{ phase: 'done', percent: 100 }])
  await expect(fleet.client.images.prefetch('whole', 'nowhere')).rejects.toThrow('Site nowhere could not be found')
  await expect(fleet.client.images.prefetch('none', 'site-1')).rejects.toThrow('Image none could not be found')
}, 300_000)

test('a prefetch that is stopped says so, and can be asked for again', async () => {
  const lost = { size: IMAGE.length, sha256: 'f'.repeat(64), disk_format: 'raw' } as const
  await fleet.client.images.create({ name: 'lost', ...lost })
  await expect(fleet.client.images.prefetch('lost', 'site-1')).rejects.toThrow('is not complete')
  await fleet.client.images.cancelPrefetch('whole', { site: 'site-1' })
  expect(await bloomery('image', 'prefetch', 'whole', '--site', 'site-1')).toMatchObject({ code: 0 })
}, 300_000)

test('how long an image is kept is said by who pushes it', async () => {
  expect(await bloomery('image', 'retain', 'whole', '--days', '30')).toMatchObject({ code: 0 })
  const { expires_at: until } = await fleet.client.images.get('whole')
  expect(Date.parse(until!)).toBeGreaterThan(Date.now() + 29 * 86_400_000)
  expect(await bloomery('image', 'retain', 'whole')).toMatchObject({ code: 2 })
  expect(await bloomery('image', 'retain', 'whole', '--always')).toMatchObject({ code: 0 })
  expect((await fleet.client.images.get('whole')).expires_at).toBeNull()
}, 300_000)
