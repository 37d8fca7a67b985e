import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIGEST, Fleet } from '../rack/paper/fleet.ts'
import { appliedTwice } from './applied.ts'
import { serve, type Served } from './bloomery-process.ts'
import { cleaned, deployed, toManageable, way } from './way.ts'

const SITES = 4
const MACHINES_PER_SITE = 50
const MIB = 1024 * 1024
let dataDir: string
let cloud: Served
let fleet: Fleet

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'bloomery-fleet-'))
  cloud = await serve(dataDir)
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: SITES, machinesPerSite: MACHINES_PER_SITE, speed: 10 })
  await fleet.join()
  await fleet.pushImage('debian')
  await fleet.makeAvailable(fleet.members, 280_000)
}, 400_000)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.kill('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
})

test('two hundred machines of four sites, deployed at once, are all active', async () => {
  const began = Date.now()
  await fleet.startDeploy(fleet.members, 'debian')
  await fleet.reach(fleet.members, 'active', 280_000)
  const seconds = (Date.now() - began) / 1000
  console.log(`${fleet.members.length} machines active in ${seconds.toFixed(1)} s of wall clock`)
  for (const { machine } of fleet.members) {
    expect(machine.disk.image).toBe(DIGEST)
    expect(machine.power).toBe('on')
  }
  expect(fleet.accidents()).toEqual([])
}, 400_000)

test("every machine's history is whole, and no report was applied twice", async () => {
  for (const { uuid } of fleet.members)
    expect(await fleet.history(uuid)).toEqual(way(...toManageable, ...cleaned, ...deployed))
  expect(appliedTwice(cloud.log().split('\n'))).toEqual([])
})

test('the cloud that did it stays small', () => {
  const status = readFileSync(`/proc/${cloud.pid}/status`, 'utf8')
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  const stored = statSync(join(dataDir, 'bloomery.sqlite')).size / MIB
  console.log(`cloud: ${resident.toFixed(0)} MiB resident, ${stored.toFixed(1)} MiB of table`)
  expect(resident).toBeLessThan(512)
  expect(stored).toBeLessThan(64)
})
