import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** OpenStack's own client, unmodified, raises every verb and waits for what it expects, as an operator's script would. */

const run = promisify(execFile)
let cloud: CloudHere
let fleet: Fleet
const NODE = 'imagined'

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: 50 })
  await fleet.join()
  await openstack('create', '--driver', 'fake-hardware', '--name', NODE)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function openstack(verb: string, ...args: string[]): Promise<string> {
  const where = ['--os-auth-type', 'none', '--os-endpoint', cloud.endpoint]
  const { stdout } = await run('openstack', [...where, 'baremetal', 'node', verb, ...args], { timeout: 60_000 })
  return stdout
}

const state = async () => (await fleet.client.nodes.get(NODE)).provision_state
const wait = ['--wait', '60']
const steps = (...named: string[]) => JSON.stringify(named.map((step) => ({ interface: 'deploy', step })))

/** Each call of the client takes seconds. */
const MS = 240_000

test(
  'manage, inspect, clean',
  async () => {
    await openstack('manage', NODE, ...wait)
    expect(await state()).toBe('manageable')
    await openstack('inspect', NODE, ...wait)
    expect(await state()).toBe('manageable')
    const clean = JSON.stringify([{ interface: 'bios', step: 'factory_reset' }])
    await openstack('clean', NODE, '--clean-steps', clean, ...wait)
    expect(await state()).toBe('manageable')
  },
  MS,
)

test(
  'adopt, rescue, unrescue, rebuild',
  async () => {
    await openstack('adopt', NODE, ...wait)
    expect(await state()).toBe('active')
    await openstack('rescue', NODE, '--rescue-password', 'let me in', ...wait)
    expect(await state()).toBe('rescue')
    await openstack('unrescue', NODE, ...wait)
    expect(await state()).toBe('active')
    await openstack('rebuild', NODE, ...wait)
    expect(await state()).toBe('active')
  },
  MS,
)

test(
  'undeploy, deploy, undeploy, manage',
  async () => {
    await openstack('undeploy', NODE, ...wait)
    expect(await state()).toBe('available')
    await openstack('deploy', NODE, ...wait)
    expect(await state()).toBe('active')
    await openstack('undeploy', NODE, ...wait)
    await openstack('manage', NODE, ...wait)
    expect(await state()).toBe('manageable')
  },
  MS,
)

test(
  'abort of a hold, which this client has no verb to end',
  async () => {
    await openstack('clean', NODE, '--clean-steps', steps('hold'))
    await expect.poll(state, { timeout: 20_000 }).toBe('clean hold')
    await openstack('abort', NODE)
    await expect.poll(state, { timeout: 20_000 }).toBe('clean failed')
    await openstack('manage', NODE, ...wait)
  },
  MS,
)

test(
  'what the state forbids is refused with the reason',
  async () => {
    await expect(openstack('unrescue', NODE)).rejects.toThrow(/"unrescue" can not be performed/)
  },
  MS,
)
