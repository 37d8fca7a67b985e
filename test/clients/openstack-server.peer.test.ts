import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '../../lambdas/app.ts'
import { ADMIN_PASSWORD, AUTH } from '../cloud/keystone.ts'
import { InstanceWorld } from '../cloud/instance-world.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** OpenStack's own client, unmodified, from a flavor to a server and back. The machines are told what became of them by the test. */

const home = mkdtempSync(join(tmpdir(), 'bloomery-openstack-'))
let world: InstanceWorld
let server: ServerType
let shell: OpenStackShell

beforeAll(async () => {
  world = await InstanceWorld.open()
  // Clients compare a token's end with their own clock.
  const platform = { ...world.cloud.platform, clock: { now: () => new Date() } }
  const api = createApi(platform, { publicEndpoint: null, auth: AUTH })
  server = await new Promise<ServerType>((resolve) => {
    const started: ServerType = serve({ fetch: api.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  shell = new OpenStackShell({
    OS_AUTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: ADMIN_PASSWORD,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
  })
}, 120_000)
afterAll(async () => {
  shell?.[Symbol.dispose]()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  await world[Symbol.asyncDispose]()
  rmSync(home, { recursive: true })
})

async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shell.run(args)
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  await world.cloud.settle()
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const json = async (...args: string[]): Promise<any> => JSON.parse(await text(...args, '-f', 'json'))

it('makes a flavor, a key pair, a network and a subnet', async () => {
  const flavor = await json(
    'flavor',
    'create',
    'metal',
    '--id',
    'metal',
    '--ram',
    '1024',
    '--disk',
    '10',
    '--vcpus',
    '2',
    '--property',
    'resources:CUSTOM_METAL=1',
  )
  expect(flavor).toMatchObject({ id: 'metal', ram: 1024, properties: { 'resources:CUSTOM_METAL': '1' } })
  expect(await json('flavor', 'list')).toMatchObject([{ Name: 'metal', Disk: 10 }])
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'key')])
  const [, fingerprint] = execFileSync('ssh-keygen', ['-l', '-E', 'md5', '-f', join(home, 'key.pub')], {
    encoding: 'utf8',
  }).split(' ')
  await text('keypair', 'create', 'mine', '--public-key', join(home, 'key.pub'))
  expect(await json('keypair', 'list')).toMatchObject([{ Name: 'mine', Fingerprint: fingerprint?.replace('MD5:', '') }])
  const network = await json('network', 'create', 'blue', '--description', 'of tenants')
  expect(network).toMatchObject({ name: 'blue', status: 'ACTIVE', mtu: 1500 })
  const subnet = await json(
    'subnet',
    'create',
    'blue-4',
    '--network',
    'blue',
    '--subnet-range',
    '10.0.0.0/24',
    '--dns-nameserver',
    '9.9.9.9',
  )
  expect(subnet).toMatchObject({ cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1', network_id: network.id })
  const port = await json(
    'port',
    'create',
    'fixed',
    '--network',
    'blue',
    '--fixed-ip',
    'subnet=blue-4,ip-address=10.0.0.9',
  )
  expect(port).toMatchObject({ status: 'DOWN', fixed_ips: [{ ip_address: '10.0.0.9' }] })
  expect(await json('port', 'list', '--network', 'blue')).toMatchObject([{ Name: 'fixed' }])
}, 180_000)

it('makes a server, sees it built, stops and starts it, and deletes it', async () => {
  const node = await world.node('n1')
  const made = await json(
    'server',
    'create',
    'web',
    '--flavor',
    'metal',
    '--image',
    world.image,
    '--network',
    'blue',
    '--key-name',
    'mine',
    '--property',
    'role=web',
  )
  expect(made).toMatchObject({ name: 'web', status: 'BUILD' })
  await world.deployed(node)
  const shown = await json('server', 'show', 'web')
  expect(shown).toMatchObject({
    status: 'ACTIVE',
    key_name: 'mine',
    properties: { role: 'web' },
    'OS-EXT-SRV-ATTR:hypervisor_hostname': node,
  })
  expect(shown.addresses.blue[0]).toMatch(/^10\.0\.0\./)
  expect(await json('server', 'list')).toMatchObject([
    { Name: 'web', Status: 'ACTIVE', Networks: { blue: shown.addresses.blue } },
  ])
  await text('server', 'stop', 'web')
  await world.change(node, {
    power_state: 'power off',
    target_power_state: null,
    power_operation: null,
    deadline: null,
  })
  expect(await json('server', 'show', 'web')).toMatchObject({ status: 'SHUTOFF' })
  await text('server', 'start', 'web')
  await world.change(node, { power_state: 'power on', target_power_state: null, power_operation: null, deadline: null })
  await text('server', 'delete', 'web')
  await world.tornDown(node)
  expect(await json('server', 'list')).toEqual([])
  expect(await json('port', 'list', '--network', 'blue')).toMatchObject([{ Name: 'fixed' }])
}, 180_000)

it('is told why there is no host', async () => {
  await world.change((await world.cloud.client.nodes.list())[0]!.uuid, { maintenance: true })
  await text('server', 'create', 'none', '--flavor', 'metal', '--image', world.image, '--network', 'blue')
  const { status, fault } = await json('server', 'show', 'none')
  expect([status, fault.message]).toEqual([
    'ERROR',
    expect.stringContaining('No valid host was found. Of 1 nodes: 1 not available'),
  ])
  await text('server', 'delete', 'none')
  await text('port', 'delete', 'fixed')
  await text('network', 'delete', 'blue')
  expect(await json('network', 'list')).toEqual([])
}, 180_000)

it('sees zones, hypervisors and what there is of extensions', async () => {
  expect(await json('availability', 'zone', 'list', '--compute')).toMatchObject([
    { 'Zone Name': 'berlin', 'Zone Status': 'available' },
  ])
  expect(await json('hypervisor', 'list')).toMatchObject([{ 'Hypervisor Type': 'ironic', State: 'up' }])
  expect(await json('extension', 'list', '--network')).not.toEqual([])
}, 180_000)
