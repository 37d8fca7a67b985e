import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NodeView } from '../../contract/api/views.ts'
import type { ProvisionState, Verb } from '../../contract/provision.ts'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { toManageable, way } from './way.ts'

/** Whole walks of every operation with machines that are nothing but a line in an appliance's ledger: the real cloud, the real
 * appliance, and no hardware at all. */

let cloud: CloudHere
let fleet: Fleet

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: 50 })
  await fleet.join()
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const WITHIN = 60_000
type Options = Parameters<Fleet['client']['nodes']['provision']>[2]

async function newNode(more: Record<string, unknown> = {}): Promise<string> {
  return (await fleet.client.nodes.create({ driver: 'fake-hardware', conductor_group: 'site-1', ...more })).uuid
}

async function bring(node: string, verb: Verb, state: ProvisionState, options?: Options): Promise<NodeView> {
  await fleet.client.nodes.provision(node, verb, options)
  return fleet.awaitState(node, state, WITHIN)
}

async function manageable(more: Record<string, unknown> = {}): Promise<string> {
  const node = await newNode(more)
  await bring(node, 'manage', 'manageable')
  return node
}

async function active(): Promise<string> {
  const node = await manageable({ automated_clean: false })
  await bring(node, 'provide', 'available')
  await bring(node, 'active', 'active')
  return node
}

test('a machine that nobody deploys is kept track of: manual management, deploy interface noop', async () => {
  const of = { driver: 'manual-management', deploy_interface: 'noop' }
  const node = await manageable(of)
  await bring(node, 'provide', 'available')
  expect(await bring(node, 'active', 'active')).toMatchObject({ last_error: null })
  const { instance_info, power_state } = await bring(node, 'deleted', 'available')
  expect([instance_info, power_state]).toEqual([{}, 'power off'])
  const refused = fleet.client.nodes.provision(await manageable(of), 'clean', {
    clean_steps: [{ interface: 'deploy', step: 'erase_devices_metadata' }],
  })
  await expect(refused).rejects.toThrow(/erase_devices_metadata is unknown for node/)
})

/** What the history says since its first `known` entries. */
const since = async (node: string, known: number): Promise<string[]> => (await fleet.history(node)).slice(known)
const known = async (node: string): Promise<number> => (await fleet.history(node)).length
const hold = { interface: 'deploy', step: 'hold' }
const wait = (seconds: number) => ({ interface: 'deploy', step: 'wait', args: { seconds } })

test('enroll to active and back, without ramdisk, image or waiting', async () => {
  const node = await newNode()
  await bring(node, 'manage', 'manageable')
  await bring(node, 'provide', 'available')
  expect(await bring(node, 'active', 'active')).toMatchObject({ power_state: 'power on', last_error: null })
  expect(await bring(node, 'deleted', 'available')).toMatchObject({ power_state: 'power off' })
  expect(await fleet.history(node)).toEqual(
    way(...toManageable, 'cleaning', 'available', 'deploying', 'active', 'deleting', 'cleaning', 'available'),
  )
})

test('power and boot device are what was last asked for', async () => {
  const node = await manageable()
  const powerOf = async () => (await fleet.client.nodes.get(node)).power_state
  for (const [target, state] of [
    ['power on', 'power on'],
    ['rebooting', 'power on'],
    ['soft power off', 'power off'],
  ] as const) {
    await fleet.client.nodes.power(node, target)
    await expect
      .poll(async () => (await fleet.client.nodes.get(node)).target_power_state, { timeout: WITHIN })
      .toBeNull()
    expect(await powerOf()).toBe(state)
  }
  await fleet.client.nodes.setBootDevice(node, { boot_device: 'disk', persistent: true })
  await expect
    .poll(() => fleet.client.nodes.bootDevice(node), { timeout: WITHIN })
    .toEqual({ boot_device: 'disk', persistent: true })
})

test('a delay in driver_info is what the step takes', async () => {
  const node = await manageable({ driver_info: { fake_deploy_delay: '40,60' } })
  await bring(node, 'provide', 'available')
  const { driver_internal_info: info } = await fleet.client.nodes.get(node)
  const seconds = (info['last_operation'] as { seconds: number[] }).seconds[0]
  expect(seconds).toBeGreaterThanOrEqual(40)
})

test('inspect ends where it began, and tells when', async () => {
  const node = await manageable()
  const before = await known(node)
  const after = await bring(node, 'inspect', 'manageable')
  expect(await since(node, before)).toEqual(way('manageable', 'inspecting', 'manageable'))
  expect(Date.parse(after.inspection_finished_at ?? '')).toBeGreaterThanOrEqual(Date.parse(after.created_at))
})

test('adopt makes a node active without touching its power', async () => {
  const node = await manageable()
  await fleet.client.nodes.power(node, 'power on')
  await expect.poll(async () => (await fleet.client.nodes.get(node)).power_state).toBe('power on')
  await expect.poll(async () => (await fleet.client.nodes.get(node)).target_power_state).toBeNull()
  const before = await known(node)
  expect(await bring(node, 'adopt', 'active')).toMatchObject({ power_state: 'power on' })
  expect(await since(node, before)).toEqual(way('manageable', 'adopting', 'active'))
})

test('rebuild leaves the instance to the node', async () => {
  const node = await active()
  const instance = '0b4f4e0e-4b32-4b7c-9f2f-2f2b7a4b7c11'
  await fleet.client.nodes.patch(node, [{ op: 'add', path: '/instance_uuid', value: instance }])
  expect(await bring(node, 'rebuild', 'active')).toMatchObject({ instance_uuid: instance })
})

test('manual cleaning runs the steps that were named, in their order, and shows each', async () => {
  const node = await manageable()
  const steps = [
    { interface: 'bios', step: 'apply_configuration', args: { settings: [{ name: 'hyperthreading', value: 'on' }] } },
    { interface: 'raid', step: 'delete_configuration' },
    wait(40),
    { interface: 'power', step: 'power_on' },
  ]
  await fleet.client.nodes.provision(node, 'clean', { clean_steps: steps })
  await expect
    .poll(() => fleet.client.nodes.get(node), { timeout: WITHIN, interval: 5 })
    .toMatchObject({ provision_state: 'clean wait', clean_step: { step: 'wait' } })
  const after = await fleet.awaitState(node, 'manageable', WITHIN)
  expect(after).toMatchObject({ power_state: 'power on', clean_step: {} })
  expect((after.driver_internal_info['last_operation'] as { names: string[] }).names).toEqual([
    'bios.apply_configuration',
    'raid.delete_configuration',
    'plan.wait',
    'power.power_on',
  ])
})

for (const [verb, held, waiting, failed, start, options] of [
  ['clean', 'clean hold', 'clean wait', 'clean failed', manageable, 'clean_steps'],
  ['service', 'service hold', 'service wait', 'service failed', active, 'service_steps'],
] as const) {
  test(`${verb}: held until unhold`, async () => {
    const node = await start()
    const began = await fleet.client.nodes.get(node)
    await bring(node, verb, held, { [options]: [hold, wait(1)] })
    await fleet.client.nodes.provision(node, 'unhold')
    const after = await fleet.awaitState(node, began.provision_state!, WITHIN)
    expect(after.last_error).toBeNull()
  })

  test(`${verb}: a hold can be aborted`, async () => {
    const node = await start()
    await bring(node, verb, held, { [options]: [hold] })
    const after = await bring(node, 'abort', failed)
    expect(after.last_error).toMatch(/aborted/)
  })

  test(`${verb}: a wait can be aborted, and the site stops`, async () => {
    const node = await start()
    await bring(node, verb, waiting, { [options]: [wait(3600)] })
    await bring(node, 'abort', failed)
    await expect.poll(() => fleet.logged.some((line) => line.includes(node) && line.includes('plan failed'))).toBe(true)
  })
}

test('a deploy with steps of its own: held, and on to active', async () => {
  const node = await manageable({ automated_clean: false })
  await bring(node, 'provide', 'available')
  const deploy_steps = [
    { ...hold, args: {}, priority: 50 },
    { interface: 'bios', step: 'factory_reset', args: {}, priority: 150 },
  ]
  await bring(node, 'active', 'deploy hold', { deploy_steps })
  await fleet.client.nodes.provision(node, 'unhold')
  const after = await fleet.awaitState(node, 'active', WITHIN)
  expect((after.driver_internal_info['last_operation'] as { names: string[] }).names).toEqual([
    'bios.factory_reset',
    'deploy.deploy',
    'plan.hold',
    'deploy.boot_instance',
  ])
})

test('rescue and back', async () => {
  const node = await active()
  const before = await known(node)
  const rescued = await bring(node, 'rescue', 'rescue', { rescue_password: 'let me in' })
  expect(rescued.instance_info).not.toHaveProperty('rescue_password')
  await bring(node, 'unrescue', 'active')
  expect(await since(node, before)).toEqual(way('active', 'rescuing', 'rescue', 'unrescuing', 'active'))
})

test('a service that failed ends with an abort', async () => {
  const node = await active()
  await bring(node, 'service', 'service wait', { service_steps: [wait(3600)] })
  await bring(node, 'abort', 'service failed')
  expect(await bring(node, 'abort', 'active')).toMatchObject({ last_error: null })
})
