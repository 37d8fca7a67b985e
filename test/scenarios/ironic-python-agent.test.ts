import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { cleaned, deployed, toManageable, way } from './way.ts'

/** Machines whose ramdisk is not ours: a double of ironic-python-agent, over real HTTP at the site's door and real TLS at its own API. */

let cloud: CloudHere
let fleet: Fleet
let member: Member
const WITHIN_MS = 120_000

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 1,
    speed: 100,
    ramdisk: 'ironic-python-agent',
  })
  await fleet.join()
  await fleet.pushImage('debian')
  member = fleet.members[0]!
  await fleet.client.nodes.patch(member.uuid, [
    { op: 'add', path: '/inspect_interface', value: 'agent' },
    { op: 'add', path: '/rescue_interface', value: 'agent' },
  ])
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

/** The ramdisk that ran last, and what was asked of it since it booted. */
const lastRamdisk = () => member.site.life.ironicAgents.at(-1)!

test('a node is inspected: it posts what it found, megabytes of logs beside it, and says at lookup which node it was told it is', async () => {
  member.machine.collected = { root_disk: { name: '/dev/sda' } }
  await fleet.bring([member], 'manage', 'manageable', WITHIN_MS)
  await fleet.bring([member], 'inspect', 'manageable', WITHIN_MS)
  const { inventory, plugin_data } = await fleet.client.nodes.inventory(member.uuid)
  expect(plugin_data).not.toHaveProperty('logs')
  expect(inventory).toMatchObject({ cpu: { count: 4 }, hostname: member.machine.name })
  expect(plugin_data).toMatchObject({ root_disk: { name: '/dev/sda' } })
  expect([...new Set(lastRamdisk().requests)]).toEqual([
    'POST /v1/continue_inspection -',
    'GET / -',
    'GET /v1/lookup 1.62',
    `POST /v1/heartbeat/${member.uuid} 1.68`,
  ])
})

test('it is cleaned, deployed, rescued and cleaned again, its states exactly as with our own agent', async () => {
  await fleet.bring([member], 'provide', 'available', WITHIN_MS)
  await fleet.startDeploy([member], 'debian')
  await fleet.reach([member], 'active', WITHIN_MS)
  expect(member.machine.disk).toMatchObject({ image: DIGEST, configDrive: expect.any(String) })
  await expect.poll(() => member.machine.boots.at(-1), { timeout: 30_000 }).toBe(`disk ${DIGEST}`)
  await fleet.client.nodes.provision(member.uuid, 'rescue', { rescue_password: 'let me in' })
  await fleet.reach([member], 'rescue', WITHIN_MS)
  expect(member.machine.rescuePassword).toBe('let me in')
  await fleet.bring([member], 'unrescue', 'active', WITHIN_MS)
  await fleet.bring([member], 'deleted', 'available', WITHIN_MS)
  expect(member.machine.disk).toEqual({ image: undefined, configDrive: undefined })
  const history = await fleet.history(member.uuid)
  expect(history.slice(0, toManageable.length - 1)).toEqual(way(...toManageable))
  expect(history.slice(-way('active', 'deleting', ...cleaned).length)).toEqual(way('active', 'deleting', ...cleaned))
  expect(history.join()).toContain(way('available', ...deployed).join())
  expect(fleet.accidents()).toEqual([])
})

test('a write that fails on the machine fails the deploy in the words of the agent, and the machine is off', async () => {
  member.machine.diskFault = 'Writing image to device /dev/sda failed with exit code 1'
  await fleet.startDeploy([member], 'debian')
  await expect(fleet.reach([member], 'active', WITHIN_MS)).rejects.toThrow(
    "the agent's execute_deploy_step failed: Writing image to device /dev/sda failed with exit code 1",
  )
  await expect.poll(() => member.machine.power, { timeout: 30_000 }).toBe('off')
  member.machine.diskFault = undefined
})

test('an appliance that dies while the agent writes finds the same command again and gives no second one', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN_MS)
  await fleet.startDeploy([member], 'debian')
  await expect.poll(() => member.machine.writing, { timeout: WITHIN_MS, interval: 5 }).toBe(true)
  const ramdisk = lastRamdisk()
  member.site.life.kill()
  await member.site.boot()
  await fleet.reach([member], 'active', WITHIN_MS)
  expect(member.machine.disk.image).toBe(DIGEST)
  const given = ramdisk.commands.filter((name) => name === 'execute_deploy_step')
  expect(given).toEqual(['execute_deploy_step'])
  expect(fleet.accidents()).toEqual([])
})
