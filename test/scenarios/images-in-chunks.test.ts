import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run, serve, type Served } from './bloomery-process.ts'

/** A site's line to the cloud carries each byte of an image once, whoever deploys it and whichever version of it. */

const MiB = 1024 * 1024
/** Of a file system. */
const BLOCK = 4096
const MACHINES = 32
/** Data, a hole, data: 8 chunks, of which 2 are zeros. */
const disk = Buffer.concat([randomBytes(4 * MiB), Buffer.alloc(2 * MiB), randomBytes(2 * MiB)])
let dir: string
let cloud: Served
let fleet: Fleet
let received = 0

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-chunks-'))
  cloud = await serve(join(dir, 'data'))
  const imageBytes = (bytes: number): void => void (received += bytes)
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: MACHINES, speed: 4, imageBytes })
  await fleet.join()
  await fleet.makeAvailable(fleet.members, 140_000)
}, 300_000)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.kill('SIGTERM')
  rmSync(dir, { recursive: true, force: true })
})

const fileOf = (name: string): string => join(dir, `${name}.raw`)

/** What the store has of it. */
async function push(name: string, ...more: string[]): Promise<number> {
  writeFileSync(fileOf(name), disk)
  const pushed = await run(['image', 'push', fileOf(name), ...more, '--endpoint', cloud.endpoint, '--json'])
  expect(pushed).toMatchObject({ code: 0 })
  return (JSON.parse(pushed.stdout) as { manifest: { stored_size: number } }).manifest.stored_size
}

async function deploy(members: Member[], image: string): Promise<void> {
  await fleet.startDeploy(members, image)
  await fleet.reach(members, 'active', 240_000)
  const digest = createHash('sha256').update(disk).digest('hex')
  for (const { machine } of members) expect(machine.disk.image).toBe(digest)
}

test('for 32 machines at once, not two percent more than the image has', async () => {
  const stored = await push('v1')
  await deploy(fleet.members, 'v1')
  console.log(`${received} bytes came for ${stored} stored ones: ${(received / stored).toFixed(4)}`)
  expect(received / stored).toBeGreaterThan(0.999)
  expect(received / stored).toBeLessThanOrEqual(1.02)
  expect(fleet.accidents()).toEqual([])
}, 400_000)

test('for a second version that differs in one chunk, that chunk', async () => {
  randomBytes(MiB).copy(disk, 3 * MiB)
  const before = received
  const stored = await push('v2')
  const [member] = fleet.members
  await fleet.bring([member!], 'deleted', 'available', 60_000)
  await deploy([member!], 'v2')
  expect((received - before) / stored).toBeLessThan(0.18)
  expect((received - before) / stored).toBeGreaterThan(0.16)
}, 400_000)

test('for a version in which every twentieth block has changed, all over the disk, and that was pushed upon the one before, not eight percent', async () => {
  const whole = 6 * MiB
  for (let at = 0; at < disk.length; at += 20 * BLOCK)
    if (Math.floor(at / MiB) < 4 || at >= 6 * MiB) randomBytes(BLOCK).copy(disk, at)
  const before = received
  expect((await push('v3', '--base', fileOf('v2'))) / whole).toBeLessThan(0.08)
  const [member] = fleet.members
  await fleet.bring([member!], 'deleted', 'available', 60_000)
  await deploy([member!], 'v3')
  expect((received - before) / whole).toBeLessThan(0.08)
  expect((received - before) / whole).toBeGreaterThan(0.04)
}, 400_000)
