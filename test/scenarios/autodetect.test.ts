import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { PaperRegistry } from '../rack/paper/registry.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Deploy interface `autodetect`, which nodes have that don't say. */

const WITHIN = 120_000
const registry = new PaperRegistry()
const installed: unknown[] = []
let cloud: CloudHere
let fleet: Fleet
let member: Member

beforeAll(async () => {
  const registries = [await registry.open()]
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 1,
    speed: 100,
    ramdisk: 'ironic-python-agent',
    registries,
  })
  await fleet.join()
  await fleet.pushImage('debian')
  member = fleet.members[0]!
  member.machine.ownSteps['execute_bootc_install'] = (args) => {
    installed.push(args['image_source'])
    member.machine.disk.image = 'installed by bootc'
  }
  await fleet.makeAvailable([member], WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  registry.close()
})

const node = () => fleet.client.nodes.get(member.uuid)
const give = (info: Record<string, unknown>) =>
  fleet.client.nodes.patch(member.uuid, [{ op: 'add', path: '/instance_info', value: info }])
async function deployed(info: Record<string, unknown>): Promise<void> {
  await give(info)
  await fleet.bring([member], 'active', 'active', WITHIN)
}
async function undeployed(): Promise<void> {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  expect(await node()).toMatchObject({ deploy_interface: 'autodetect' })
  expect((await node()).driver_internal_info).not.toHaveProperty('original_deploy_interface')
}

test('an image is written by `direct`, and the node has `autodetect` again once it is undeployed', async () => {
  expect(await node()).toMatchObject({ deploy_interface: 'autodetect' })
  await deployed({ image_source: 'debian' })
  expect(member.machine.disk.image).toBe(DIGEST)
  expect(await node()).toMatchObject({
    deploy_interface: 'direct',
    driver_internal_info: { original_deploy_interface: 'autodetect' },
  })
  await undeployed()
})

test('who asks for a ramdisk deploy is told what is wrong with it, by what it would be deployed by', async () => {
  await give({ ironic_ramdisk_deploy: true, kernel: 'ftp://x/kernel', ramdisk: 'http://x/ramdisk' })
  await expect(fleet.client.nodes.provision(member.uuid, 'active')).rejects.toThrow(/kernel is not an http\(s\) URL/)
  expect(await node()).toMatchObject({ deploy_interface: 'autodetect', provision_state: 'available' })
})

test('of a registry, a container that boots is installed by its bootc', async () => {
  const image = registry.push('os/bootc', randomBytes(50_000), { 'containers.bootc': '1' })
  await deployed({ image_source: image })
  expect(installed).toEqual([image])
  expect(member.machine.disk.image).toBe('installed by bootc')
  expect(member.site.life.ironicAgents.at(-1)?.commands).not.toContain('install_bootloader')
  await undeployed()
})

test('and one that is a disk is written', async () => {
  const image = registry.push('os/disk', randomBytes(50_000), {})
  await deployed({ image_source: image })
  expect(installed).toHaveLength(1)
  expect(member.machine.disk.image).toMatch(/^[0-9a-f]{64}$/)
  await undeployed()
  expect(fleet.accidents()).toEqual([])
})
