import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

let cloud: ControlPlane
let site: PaperSite
let node: string
let seq = 500

beforeEach(async () => {
  cloud = await openControlPlane(undefined, { inspection_rules_networks: ['127.0.0.1/32'] })
  site = new PaperSite(cloud, (await withSite(cloud)).appliance)
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_password: 'pa55' }
  node = (await cloud.client.nodes.create({ name: 'n1', driver: 'ipmi', driver_info, inspect_interface: 'agent' })).uuid
  await cloud.client.ports.create({ node_uuid: node, address: '52:54:00:aa:00:01' })
  await cloud.client.nodes.provision(node, 'manage')
  await cloud.settle()
  await site.carryOut(node)
})
afterEach(() => cloud[Symbol.asyncDispose]())

const send = (method: string, path: string, body?: unknown) =>
  cloud.request(path, {
    method,
    headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
async function rule(actions: unknown[], conditions: unknown[] = [], more: Record<string, unknown> = {}): Promise<void> {
  expect((await send('POST', '/v1/inspection_rules', { actions, conditions, ...more })).status).toBe(201)
}
const set = (path: string, value: unknown) => ({ op: 'set-attribute', args: { path, value } })

const inventory = {
  cpu: { count: 8, architecture: 'x86_64' },
  memory: { physical_mb: 16_384 },
  interfaces: [{ name: 'eth0', mac_address: '52:54:00:aa:00:01' }],
  bmc_address: '10.30.0.5',
}
const told = (plugin_data?: Record<string, unknown>) => {
  const { id: plan, generation } = site.plan(node)
  seq += 1
  const at = cloud.platform.clock.now().toISOString()
  return { id: randomUUID(), seq, at, kind: 'inventory', node, generation, plan, inventory, plugin_data }
}
const tell = (...reports: unknown[]) => cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports })
async function inspect(plugin_data?: Record<string, unknown>) {
  await cloud.client.nodes.provision(node, 'inspect')
  await cloud.settle()
  await tell(told(plugin_data))
  return cloud.client.nodes.get(node)
}

it('what the switch says by LLDP becomes the port’s link, and is kept beside the inventory; what people wrote stays', async () => {
  const lldp = [
    [1, '04112233aabbcc'],
    [2, '05' + Buffer.from('Eth1/7').toString('hex')],
    [5, Buffer.from('sw1').toString('hex')],
    [0, ''],
  ]
  const report = async (text: string) => {
    const port = [2, '05' + Buffer.from(text).toString('hex')]
    const interfaces = [{ ...inventory.interfaces[0], lldp: [lldp[0], port, ...lldp.slice(2)] }]
    await cloud.client.nodes.provision(node, 'inspect')
    await cloud.settle()
    await tell({ ...told(), inventory: { ...inventory, interfaces } })
    await site.carryOut(node)
  }
  const link = { switch_id: '11:22:33:aa:bb:cc', port_id: 'Eth1/7', switch_info: 'sw1' }
  for (const port of ['Eth1/7', 'Eth1/8']) {
    await report(port)
    expect(await (await send('GET', `/v1/nodes/${node}/ports/detail`)).json()).toMatchObject({
      ports: [{ local_link_connection: link }],
    })
    expect(await (await send('GET', `/v1/nodes/${node}/inventory`)).json()).toMatchObject({
      plugin_data: { parsed_lldp: { eth0: { switch_port_id: port, switch_system_name: 'sw1' } } },
    })
  }
})

describe('inspection rules', () => {
  it('change the node and its ports by what the inspection found', async () => {
    const isBig = { op: 'gt', args: { values: ['{inventory[memory][physical_mb]}', 8192] } }
    const port = { port_id: '52:54:00:aa:00:01', path: 'physical_network', value: 'rack-{plugin_data[rack]}' }
    await rule(
      [
        set('resource_class', 'big'),
        { op: 'add-trait', args: { name: 'CUSTOM_BIG' } },
        { op: 'set-port-attribute', args: port },
      ],
      [isBig],
    )
    await rule([set('resource_class', 'small')], [{ ...isBig, op: '!gt' }])
    await inspect({ rack: 7 })
    await site.carryOut(node)
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'manageable',
      resource_class: 'big',
      traits: ['CUSTOM_BIG'],
      properties: { cpus: 8 },
      driver_info: { ipmi_password: '******' },
    })
    const ports = await (await send('GET', `/v1/nodes/${node}/ports/detail`)).json()
    expect(ports).toMatchObject({ ports: [{ physical_network: 'rack-7' }] })
    const kept = (await (await send('GET', `/v1/nodes/${node}/inventory`)).json()) as Record<string, unknown>
    expect(kept).toMatchObject({ inventory, plugin_data: { rack: 7 } })
  })

  it('one that says fail fails the inspection with its words, and the site is told to stop', async () => {
    await rule([set('extra/seen', 'yes'), { op: 'fail', args: { msg: 'too few CPUs: {inventory[cpu][count]}' } }])
    expect(await inspect()).toMatchObject({
      provision_state: 'inspect failed',
      last_error: expect.stringContaining('Failed to inspect hardware. Reason: too few CPUs: 8'),
      extra: { seen: 'yes' },
    })
    expect(site.commands().at(-1)).toMatchObject({ kind: 'cancel', node })
  })

  it.each([
    ['a secret', set('driver_info/ipmi_password', 'x'), /secret/],
    ['what a node can’t be', set('retired', 'perhaps'), /can't be/],
    ['another’s name', set('name', 'n2'), /already exists/],
  ])('one that would make %s of it fails the inspection, and changes nothing', async (_, action, why) => {
    await cloud.client.nodes.create({ name: 'n2', driver: 'fake-hardware' })
    await rule([set('extra/seen', 'yes'), action])
    const after = await inspect()
    expect(after).toMatchObject({ provision_state: 'inspect failed', last_error: expect.stringMatching(why) })
    expect(after).toMatchObject({ name: 'n1', extra: {}, driver_info: { ipmi_password: '******' } })
  })

  it('are applied once to an inventory that comes twice', async () => {
    await rule([{ op: 'extend-attribute', args: { path: 'extra/times', value: 'x' } }])
    await cloud.client.nodes.provision(node, 'inspect')
    await cloud.settle()
    const report = told()
    seq += 1
    await tell(report)
    await tell({ ...report, seq })
    expect((await cloud.client.nodes.get(node)).extra).toEqual({ times: ['x'] })
  })

  it('are applied, once, to an inventory that the end of its inspection overtook; what fails then is told', async () => {
    await rule([{ op: 'extend-attribute', args: { path: 'extra/times', value: 'x' } }])
    await cloud.client.nodes.provision(node, 'inspect')
    await cloud.settle()
    const late = told()
    await site.carryOut(node)
    seq += 1
    await tell(late, { ...late, seq })
    expect(await cloud.client.nodes.get(node)).toMatchObject({ extra: { times: ['x'] }, properties: { cpus: 8 } })
    await rule([{ op: 'fail', args: { msg: 'too few CPUs' } }])
    await cloud.client.nodes.provision(node, 'inspect')
    await cloud.settle()
    const failing = told()
    await site.carryOut(node)
    await tell(failing)
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'manageable',
      last_error: expect.stringContaining('too few CPUs') as string,
    })
  })

  it('of higher priority go first; a sensitive one works like any other', async () => {
    await rule([set('extra/order', '{node.extra[order]} low')], [], { priority: 1 })
    await rule([set('extra/order', 'high')], [], { priority: 9, sensitive: true })
    expect((await inspect()).extra).toEqual({ order: 'high low' })
  })

  it('call APIs that the operator lets them reach; an error there fails the inspection', async () => {
    const asked: string[] = []
    const server = createServer((request, reply) => {
      asked.push(`${request.url} ${String(request.headers['x-of'])}`)
      reply.writeHead(asked.length === 1 ? 503 : asked.length === 2 ? 204 : 404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/{node.name}`
    await rule([{ op: 'api-call', args: { url, headers: { 'x-of': '{inventory[bmc_address]}' } } }])
    try {
      expect((await inspect()).provision_state).toBe('inspecting')
      expect(asked).toEqual(['/n1 10.30.0.5', '/n1 10.30.0.5'])
      await site.carryOut(node)
      expect((await inspect()).last_error).toContain('HTTP 404')
      expect(asked).toHaveLength(3)
    } finally {
      server.close()
    }
  })

  it('never reach other networks of ours', async () => {
    await rule([{ op: 'api-call', args: { url: 'http://169.254.169.254/latest/meta-data' } }])
    expect((await inspect()).last_error).toContain('in no network that inspection rules may reach')
  })

  it('an error that the ramdisk reports fails the inspection before any rule', async () => {
    await rule([set('extra/seen', 'yes')])
    const after = await inspect({ error: 'the collector broke' })
    expect(after).toMatchObject({ last_error: expect.stringContaining('the collector broke'), extra: {} })
  })
})
