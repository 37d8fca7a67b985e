import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run } from './bloomery-process.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** What a ramdisk logged when a deploy failed, from the machine to the command line. */

let cloud: CloudHere
let fleet: Fleet
let member: Member
let dir: string
const WITHIN = { timeout: 60_000, interval: 200 }

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-logs-'))
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 50 })
  await fleet.join()
  await fleet.pushImage('debian')
  member = fleet.members[0]!
  await fleet.makeAvailable([member])
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  rmSync(dir, { recursive: true, force: true })
})

const bloomery = (...argv: string[]) => run([...argv, '--endpoint', cloud.endpoint])
const logs = async () => (await fleet.client.nodes.deployLogs(member.uuid)).deploy_logs

test('a deploy that succeeds leaves none; one that fails leaves those of its ramdisk, which `why` speaks of', async () => {
  const name = member.machine.name
  expect((await bloomery('node', 'logs', name)).stdout).toContain('has left logs')
  member.machine.diskFault = 'the disk is broken'
  await fleet.startDeploy([member], 'debian')
  await expect(fleet.reach([member], 'active', 60_000)).rejects.toThrow(/the disk is broken/)
  await expect.poll(async () => (await logs()).length, WITHIN).toBe(1)

  const file = join(dir, 'logs.tar.gz')
  const fetched = await bloomery('node', 'logs', name, '--output', file)
  expect(fetched.stdout).toContain('5 bytes of deploy')
  expect(readFileSync(file, 'utf8')).toBe('paper')
  expect((await bloomery('node', 'logs', name, '--output', file)).code).not.toBe(0)
  expect((await bloomery('node', 'logs', name)).stdout).toContain((await logs())[0]!.uuid)
  expect((await bloomery('why', name)).stdout).toContain('bloomery node logs')
})

test('logs of a site that is cut off come when it is back', async () => {
  await fleet.bring([member], 'deleted', 'available', 60_000)
  const { relay } = member.site
  await fleet.startDeploy([member], 'debian')
  // It is on for a fifth of a second.
  await expect.poll(() => member.machine.power, { ...WITHIN, interval: 5 }).toBe('on')
  relay.cut()
  await expect.poll(() => member.machine.power, WITHIN).toBe('off')
  relay.mend()
  await expect.poll(async () => (await logs()).length, WITHIN).toBe(2)
})
