import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIGEST, Fleet, IMAGE, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { cleaned, way } from './way.ts'

let cloud: CloudHere
let fleet: Fleet
let images: Server
let imageUrl: string

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 3, speed: 200 })
  await fleet.join()
  await fleet.pushImage('debian')
  images = createServer((_, reply) => reply.writeHead(200, { 'content-length': IMAGE.length }).end(IMAGE))
  await new Promise<void>((resolve) => void images.listen(0, '127.0.0.1', resolve))
  imageUrl = `http://127.0.0.1:${(images.address() as AddressInfo).port}/debian.img`
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  await new Promise<void>((resolve) => (images ? images.close(() => resolve()) : resolve()))
})

async function deployFails({ uuid }: Member): Promise<string> {
  await fleet.awaitState(uuid, 'deploy failed', 60_000)
  const node = await fleet.client.nodes.get(uuid)
  expect(node).toMatchObject({ power_state: 'power off', target_provision_state: 'active', reservation: null })
  return node.last_error ?? ''
}

test('a wrong BMC password: the node is back in enroll, and its last_error says so', async () => {
  const { uuid, machine } = fleet.members[0]!
  const wrong = [{ op: 'replace' as const, path: '/driver_info/ipmi_password', value: 'not the password' }]
  await fleet.client.nodes.patch(uuid, wrong)
  await fleet.client.nodes.provision(uuid, 'manage')
  await expect
    .poll(async () => (await fleet.client.nodes.get(uuid)).last_error, { timeout: 60_000 })
    .toMatch(/password/)
  const node = await fleet.client.nodes.get(uuid)
  expect(node).toMatchObject({ provision_state: 'enroll', target_provision_state: null })
  expect(node.last_error).toContain(`127.0.0.1:${machine.port}`)
  expect(node.last_error).not.toContain('not the password')
  expect(machine.power).toBe('off')

  const right = [{ op: 'replace' as const, path: '/driver_info/ipmi_password', value: machine.password }]
  await fleet.client.nodes.patch(uuid, right)
  await fleet.bring([fleet.members[0]!], 'manage', 'manageable', 60_000)
  expect((await fleet.client.nodes.get(uuid)).last_error).toBeNull()
})

test('a wrong image checksum: deploy failed, and last_error names image, expected and actual digest; the machine is off', async () => {
  const member = fleet.members[1]!
  await fleet.makeAvailable([member])
  const wrong = createHash('sha256').update('another image').digest('hex')
  await fleet.client.nodes.patch(member.uuid, [
    { op: 'add', path: '/instance_info/image_os_hash_algo', value: 'sha256' },
    { op: 'add', path: '/instance_info/image_os_hash_value', value: wrong },
  ])
  await fleet.startDeploy([member], imageUrl)
  const error = await deployFails(member)
  for (const part of [imageUrl, wrong, DIGEST]) expect(error).toContain(part)
  expect(member.machine.power).toBe('off')
  expect(member.machine.disk.image).toBeUndefined()

  await fleet.client.nodes.patch(member.uuid, [
    { op: 'replace', path: '/instance_info/image_os_hash_value', value: DIGEST },
  ])
  await fleet.bring([member], 'rebuild', 'active', 60_000)
  expect(member.machine.disk.image).toBe(DIGEST)
})

test('no agent: deploy failed, and last_error tells what was last seen; deleted, the node is cleaned and available again', async () => {
  const member = fleet.members[2]!
  await fleet.makeAvailable([member])
  const { machine, site } = member
  const { provisioning } = machine
  machine.provisioning = {
    networkBoot: async ({ mac }) => site.life.site.events.seen(mac, 'kernel'),
  }
  await fleet.startDeploy([member], 'debian')
  expect(await deployFails(member)).toMatch(/no agent within \d+ s.*last seen: kernel/)
  expect(machine.power).toBe('off')

  machine.provisioning = provisioning
  const before = (await fleet.history(member.uuid)).length
  await fleet.bring([member], 'deleted', 'available', 60_000)
  expect((await fleet.history(member.uuid)).slice(before)).toEqual(way('deploy failed', 'deleting', ...cleaned))
  expect(await fleet.client.nodes.get(member.uuid)).toMatchObject({ last_error: null, instance_info: {} })
  expect(fleet.accidents()).toEqual([])
})
