import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Restarts that are avoided: an agent that stays from operation to operation, and a kernel that starts the next one. */

let cloud: CloudHere
let fleet: Fleet
const WITHIN_MS = 120_000
const WITHIN = { timeout: 60_000, interval: 100 }

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 4, speed: 50 })
  await fleet.join()
  await fleet.pushImage('debian')
  for (const { uuid } of fleet.members)
    await fleet.client.nodes.patch(uuid, [{ op: 'add', path: '/inspect_interface', value: 'agent' }])
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const set = (member: Member, key: string, value: unknown) =>
  fleet.client.nodes.patch(member.uuid, [{ op: 'add', path: `/driver_info/${key}`, value }])

async function deploy(member: Member): Promise<void> {
  await fleet.startDeploy([member], 'debian')
  await fleet.reach([member], 'active', WITHIN_MS)
  expect(member.machine.disk.image).toBe(DIGEST)
  expect(member.machine.accidents).toEqual([])
}

test('with fast_track one boot of the ramdisk does for inspection, cleaning and deploy, also when the appliance dies in between', async () => {
  const member = fleet.members[0]!
  const { machine, site } = member
  await set(member, 'fast_track', true)
  await fleet.bring([member], 'manage', 'manageable', WITHIN_MS)
  await fleet.bring([member], 'inspect', 'manageable', WITHIN_MS)
  expect([machine.power, machine.starts]).toEqual(['on', 1])
  await fleet.bring([member], 'provide', 'available', WITHIN_MS)
  expect([machine.power, machine.starts]).toEqual(['on', 1])
  expect((await fleet.client.nodes.get(member.uuid)).power_state).toBe('power on')
  site.life.kill()
  await site.boot()
  await deploy(member)
  expect(machine.starts).toBe(2)
  await expect.poll(() => machine.boots, WITHIN).toEqual(['network', `disk ${DIGEST}`])
})

test('an agent that is gone is no reason to fail: the machine boots the ramdisk again', async () => {
  const member = fleet.members[1]!
  const { machine } = member
  await set(member, 'fast_track', true)
  await fleet.makeAvailable([member], WITHIN_MS)
  expect([machine.power, machine.starts]).toEqual(['on', 1])
  machine.off()
  await deploy(member)
  expect(machine.starts).toBe(3)
})

test('by kexec the instance runs without a restart, and nothing is left of the agent', async () => {
  const member = fleet.members[2]!
  const { machine } = member
  await set(member, 'fast_track', true)
  await set(member, 'kexec', true)
  await fleet.makeAvailable([member], WITHIN_MS)
  await deploy(member)
  expect(machine.starts).toBe(1)
  expect(machine.boots).toEqual(['network', `kexec ${DIGEST}`])
  await fleet.bring([member], 'deleted', 'available', WITHIN_MS)
  expect(machine.disk.image).toBeUndefined()
})

test('a kernel that can’t be loaded is started by a restart, and why is told', async () => {
  const member = fleet.members[3]!
  const { machine } = member
  machine.kexecFault = 'Secure Boot lets no kernel in that is not signed'
  await set(member, 'kexec', true)
  await fleet.makeAvailable([member], WITHIN_MS)
  await deploy(member)
  await expect.poll(() => machine.boots, WITHIN).toEqual(['network', 'network', `disk ${DIGEST}`])
  const told = async () => JSON.stringify(await fleet.client.nodes.history(member.uuid))
  await expect.poll(told, WITHIN).toContain('Secure Boot lets no kernel in')
})
