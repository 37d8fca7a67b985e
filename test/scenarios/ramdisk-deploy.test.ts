import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { cleaned, way } from './way.ts'

/** Deploy interface `ramdisk`: what people boot is never written to a disk. */

const WITHIN = 60_000
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')
const [KERNEL, RAMDISK] = ['a kernel of theirs', 'a ramdisk of theirs']
const ISO = Buffer.alloc(40 * 1024, 'live')
ISO.write('CD001', 16 * 2048 + 1)
const served: Record<string, string | Buffer> = { '/vmlinuz': KERNEL, '/initrd': RAMDISK, '/live.iso': ISO }
const running = `${sha256(KERNEL)} ${sha256(RAMDISK)} role=worker`

let cloud: CloudHere
let fleet: Fleet
let member: Member
let other: Member
let theirs: Server
let base: string

beforeAll(async () => {
  theirs = createServer((request, reply) => void reply.end(served[request.url ?? '']))
  await new Promise<void>((resolve) => void theirs.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(theirs.address() as AddressInfo).port}`
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, drivers: ['ipmi', 'redfish'], speed: 50 })
  await fleet.join()
  ;[member, other] = fleet.members as [Member, Member]
  await fleet.makeAvailable([member, other])
  for (const { uuid } of [member, other])
    await fleet.client.nodes.patch(uuid, [
      { op: 'add', path: '/deploy_interface', value: 'ramdisk' },
      { op: 'add', path: '/rescue_interface', value: 'agent' },
    ])
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  theirs?.close()
})

const give = (info: Record<string, string>, { uuid } = member): Promise<unknown> =>
  fleet.client.nodes.patch(
    uuid,
    Object.entries(info).map(([key, value]) => ({ op: 'add', path: `/instance_info/${key}`, value })),
  )
const runs = (times: number) =>
  expect.poll(() => member.machine.ramdisks, { timeout: WITHIN }).toEqual(Array(times).fill(running))
async function restart({ uuid, machine } = member): Promise<void> {
  const settled = async () => (await fleet.client.nodes.get(uuid)).target_power_state
  await fleet.client.nodes.power(uuid, 'power off')
  await expect.poll(() => machine.power, { timeout: WITHIN }).toBe('off')
  await expect.poll(settled, { timeout: WITHIN }).toBe(null)
  await fleet.client.nodes.power(uuid, 'power on')
  await expect.poll(settled, { timeout: WITHIN }).toBe(null)
}

test('what can’t be done is refused at once, and the answer says what is missing', async () => {
  const deploy = (more = {}) => fleet.client.nodes.provision(member.uuid, 'active', more)
  await expect(deploy()).rejects.toThrow(/lacks kernel and ramdisk, or boot_iso/)
  await give({ kernel: `${base}/vmlinuz` })
  await expect(deploy()).rejects.toThrow(/lacks ramdisk/)
  await give({ ramdisk: `${base}/initrd`, kernel_append_params: 'role=worker', kernel_checksum: sha256(KERNEL) })
  await expect(deploy({ configdrive: { meta_data: {} } })).rejects.toThrow(/no place for a config drive/)
})

test('the node is active without an agent, with nothing on its disk, and runs their kernel and ramdisk', async () => {
  const before = (await fleet.history(member.uuid)).length
  await fleet.bring([member], 'active', 'active', WITHIN)
  await runs(1)
  expect((await fleet.history(member.uuid)).slice(before)).toEqual(way('available', 'deploying', 'active'))
  expect(member.machine.disk).toEqual({ image: undefined, configDrive: undefined })
  expect(await fleet.client.nodes.get(member.uuid)).toMatchObject({ power_state: 'power on', last_error: null })
})

test('an ISO is inserted into the virtual drive and stays there, for every start, until the node is undeployed', async () => {
  const { uuid, machine } = other
  const images = () => machine.redfish.slots.flatMap(({ image }) => image ?? [])
  const ran = (times: number) =>
    expect.poll(() => machine.ramdisks, { timeout: WITHIN }).toEqual(Array(times).fill(`${sha256(ISO)} `))
  await fleet.client.nodes.patch(uuid, [{ op: 'add', path: '/boot_interface', value: 'redfish-virtual-media' }])
  await give({ kernel: `${base}/vmlinuz`, ramdisk: `${base}/initrd` }, other)
  await expect(fleet.client.nodes.provision(uuid, 'active')).rejects.toThrow(/inserts a boot_iso/)
  await give({ boot_iso: `${base}/live.iso`, boot_iso_checksum: sha256(ISO) }, other)
  await fleet.bring([other], 'active', 'active', WITHIN)
  await ran(1)
  expect(images()).toEqual([expect.stringMatching(/\/boot\/[^/]+\/instance.iso$/)])
  await restart(other)
  await ran(2)
  expect(machine.boots.slice(-2)).toEqual(['medium', 'medium'])
  await fleet.bring([other], 'deleted', 'available', WITHIN)
  expect(images()).toEqual([])
})

test('rescued it runs the agent, and comes back to their ramdisk after that', async () => {
  await fleet.client.nodes.provision(member.uuid, 'rescue', { rescue_password: 'let me in' })
  await fleet.awaitState(member.uuid, 'rescue', WITHIN)
  expect(member.machine.rescuePassword).toBe('let me in')
  await fleet.bring([member], 'unrescue', 'active', WITHIN)
  await runs(2)
})

test('switched off and on it boots the same, also in a new life of the appliance and with their server gone', async () => {
  await restart()
  await runs(3)
  theirs.close()
  theirs.closeAllConnections()
  member.site.life.kill()
  await member.site.boot()
  await restart()
  await runs(4)
})

test('undeployed it is cleaned by the agent and available, and what it booted is no longer given to anybody', async () => {
  const { machines } = member.site.life.site
  const token = machines.bootToken(machines.byMac(member.machine.mac)!, member.machine.mac)
  const kernel = `http://127.0.0.1:${member.site.life.imagePort}/boot/${token}/kernel`
  expect((await fetch(kernel)).status).toBe(200)
  const before = (await fleet.history(member.uuid)).length
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  expect((await fleet.history(member.uuid)).slice(before)).toEqual(way('active', 'deleting', ...cleaned))
  expect((await fetch(kernel)).status).toBe(403)
  expect(await fleet.client.nodes.get(member.uuid)).toMatchObject({ instance_info: {}, power_state: 'power off' })
  expect(member.machine.ramdisks).toHaveLength(4)
  expect(fleet.accidents()).toEqual([])
})
