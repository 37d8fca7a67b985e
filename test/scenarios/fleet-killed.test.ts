import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '@bloomery/wire/free-port.ts'
import { DIGEST, Fleet } from '../rack/paper/fleet.ts'
import { appliedTwice } from './applied.ts'
import { serve, type Served } from './bloomery-process.ts'
import { cleaned, deployed, toManageable, way } from './way.ts'

const MACHINES = 10
let dataDir: string
let cloud: Served
let fleet: Fleet
let log: string[]

beforeEach(async () => {
  log = []
  dataDir = mkdtempSync(join(tmpdir(), 'bloomery-killed-'))
  // Ports that nobody else is given while it is down.
  cloud = await serve(dataDir, '--port', `${await freePort()}`, '--broker-port', `${await freePort()}`)
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: MACHINES, speed: 50 })
  await fleet.join()
  await fleet.pushImage('debian')
  await fleet.makeAvailable(fleet.members)
})
afterEach(async () => {
  await fleet?.tearDown()
  await cloud?.kill('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
})

async function killAndRestartCloud(): Promise<void> {
  await cloud.kill('SIGKILL')
  log.push(...cloud.log().split('\n'))
  const port = new URL(cloud.endpoint).port
  const brokerPort = new URL(cloud.broker).port
  cloud = await serve(dataDir, '--port', port, '--broker-port', brokerPort)
}

async function allAreActiveOnce(): Promise<void> {
  for (const { uuid, machine } of fleet.members) {
    expect(await fleet.client.nodes.get(uuid)).toMatchObject({ power_state: 'power on', last_error: null })
    expect(await fleet.history(uuid)).toEqual(way(...toManageable, ...cleaned, ...deployed))
    expect(machine.disk.image).toBe(DIGEST)
    expect(machine.power).toBe('on')
  }
  expect(fleet.accidents()).toEqual([])
  expect(appliedTwice([...log, ...cloud.log().split('\n')])).toEqual([])
}

/** Machines in the middle of it: how many at once depends on how busy this computer is. */
function writing(): number {
  return fleet.members.filter(({ machine }) => machine.writing).length
}
const quick = { timeout: 60_000, interval: 5 }

test('the cloud is killed in the middle of ten deploys and restarted: all become active, nothing is lost or doubled', async () => {
  await fleet.startDeploy(fleet.members, 'debian')
  await killAndRestartCloud()
  await expect.poll(writing, quick).toBeGreaterThan(0)
  await killAndRestartCloud()
  await fleet.reach(fleet.members, 'active', 60_000)
  await allAreActiveOnce()
})

test('the appliance is killed in the middle of ten deploys and restarted: all become active, nothing is lost or doubled', async () => {
  const [site] = fleet.sites
  const half = MACHINES / 2
  await fleet.startDeploy(fleet.members.slice(half), 'debian')
  await expect
    .poll(() => fleet.logged.filter((line) => line.includes('"agent is up"')).length, quick)
    .toBeGreaterThan(MACHINES + 1)
  site!.life.kill()
  await site!.boot()
  // Those of before may have written all by now, however quickly it is back.
  await fleet.startDeploy(fleet.members.slice(0, half), 'debian')
  await expect.poll(writing, quick).toBeGreaterThan(0)
  site!.life.kill()
  await site!.boot()
  await fleet.reach(fleet.members, 'active', 60_000)
  await allAreActiveOnce()
  for (const { machine } of fleet.members)
    await expect.poll(() => machine.boots, quick).toEqual(['network', 'network', `disk ${DIGEST}`])
})
