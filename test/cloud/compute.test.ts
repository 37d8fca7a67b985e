import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { portsOf } from '../../lambdas/store/ports.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterEach(() => world[Symbol.asyncDispose]())

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKe8n5hJGXv4+3hKz5tY3dZcV0gk7kqkQp8JbVpQd5t ada@engine'
const servers = '/compute/v2.1/servers'
const ports = async (query = '') =>
  (await world.ask('GET', `/network/v2.0/ports${query}`, undefined, world.admin)).body.ports
const vifs = async (node: string) =>
  (await portsOf(world.cloud.platform.table, node)).map((each) => each.internal_info['tenant_vif_port_id'])

describe('a server', () => {
  it('gets a node, an address on its card, a config drive and a deploy; and gives all of it back', async () => {
    const node = await world.node('n1')
    const network = await world.network()
    await world.made('/compute/v2.1/os-keypairs', { keypair: { name: 'ada', public_key: KEY } })
    const id = await world.asked({
      key_name: 'ada',
      metadata: { role: 'web' },
      user_data: Buffer.from('#!/bin/sh').toString('base64'),
    })
    expect(await world.server(id)).toMatchObject({ status: 'BUILD', 'OS-EXT-STS:task_state': 'spawning' })
    const taken = await world.get(node)
    expect(taken).toMatchObject({
      instance_uuid: id,
      instance_name: 'web',
      instance_info: { image_source: world.image, flavor_name: 'm1', display_name: 'web' },
    })
    expect(['deploying', 'wait call-back']).toContain(taken.provision_state)
    const [port] = await ports()
    expect(port).toMatchObject({
      network_id: network,
      status: 'ACTIVE',
      device_id: id,
      mac_address: '52:54:00:00:00:01',
      'binding:host_id': node,
    })
    expect(await vifs(node)).toEqual([port.id])

    await world.deployed(node)
    expect(await world.server(id)).toMatchObject({
      status: 'ACTIVE',
      'OS-EXT-STS:power_state': 1,
      'OS-EXT-AZ:availability_zone': 'berlin',
      addresses: { blue: [{ addr: port.fixed_ips[0].ip_address, 'OS-EXT-IPS-MAC:mac_addr': '52:54:00:00:00:01' }] },
    })
    expect((await world.ask('DELETE', `/network/v2.0/ports/${port.id}`)).status).toBe(409)

    expect((await world.ask('DELETE', `${servers}/${id}`)).status).toBe(204)
    expect(await world.server(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'deleting' })
    expect((await world.get(node)).provision_state).toBe('deleting')
    await world.tornDown(node)
    expect((await world.ask('GET', `${servers}/${id}`)).status).toBe(404)
    expect(await ports()).toEqual([])
    expect(await vifs(node)).toEqual([undefined])
  })

  it('has the host name and the addresses that its owner says, which may be changed', async () => {
    await world.node('n1')
    const latest = (method: string, path: string, body?: object) =>
      world.ask(method, path, body, world.token, 'compute 2.90')
    const access = { accessIPv4: '198.51.100.7', accessIPv6: '2001:db8::7' }
    const id = await world.asked({ name: 'Web One' })
    const shown = async () => (await latest('GET', `${servers}/${id}`)).body.server
    expect(await shown()).toMatchObject({ accessIPv4: '', 'OS-EXT-SRV-ATTR:hostname': 'web-one' })
    const change = { server: { hostname: 'db-7', name: 'other', ...access } }
    expect((await latest('PUT', `${servers}/${id}`, change)).body.server).toMatchObject({ name: 'other', ...access })
    expect(await shown()).toMatchObject({ name: 'other', ...access, 'OS-EXT-SRV-ATTR:hostname': 'db-7' })
    expect((await world.ask('GET', `${servers}/${id}`)).body.server).not.toHaveProperty('OS-EXT-SRV-ATTR:hostname')
    for (const server of [{ hostname: 'a.b' }, { hostname: '-a' }, { accessIPv4: '::1' }, { accessIPv6: 'x' }])
      expect((await latest('PUT', `${servers}/${id}`, { server })).status, JSON.stringify(server)).toBe(400)
    const early = await world.ask('PUT', `${servers}/${id}`, { server: { hostname: 'db' } })
    expect(early).toMatchObject({ status: 400, body: { badRequest: { message: expect.stringContaining('2.90') } } })
  })

  it('of several that were asked for at once is found by what the request was answered', async () => {
    await world.node('n1')
    await world.node('n2')
    const several = { name: 'web', imageRef: world.image, flavorRef: 'm1', networks: 'none', min_count: 2 }
    const server = { ...several, return_reservation_id: true }
    const { status, body } = await world.ask('POST', servers, { server }, world.token, 'compute 2.90')
    expect({ status, body }).toEqual({
      status: 202,
      body: { reservation_id: expect.stringMatching(/^r-[0-9a-f]{8}$/) },
    })
    await world.asked({ networks: 'none' })
    const found = await world.ask(
      'GET',
      `${servers}/detail?reservation_id=${body.reservation_id}`,
      undefined,
      world.token,
      'compute 2.90',
    )
    const names = found.body.servers.map((each: Record<string, string>) => each['OS-EXT-SRV-ATTR:hostname'])
    expect(names.toSorted()).toEqual(['web-1', 'web-2'])
  })

  it('keeps the port that somebody made for it, which is free again when it is gone', async () => {
    const node = await world.node('n1')
    const network = await world.network()
    const port = await world.made('/network/v2.0/ports', {
      port: { network_id: network, fixed_ips: [{ ip_address: '10.0.0.77' }] },
    })
    const id = await world.asked({ networks: [{ port: port.id }] })
    expect((await ports(`?id=${port.id}`))[0]).toMatchObject({
      status: 'ACTIVE',
      device_id: id,
      fixed_ips: [{ ip_address: '10.0.0.77' }],
    })
    const again = { server: { name: 'x', imageRef: world.image, flavorRef: 'm1', networks: [{ port: port.id }] } }
    expect((await world.ask('POST', servers, again)).status).toBe(409)
    await world.deployed(node)
    await world.ask('DELETE', `${servers}/${id}`)
    await world.tornDown(node)
    expect((await ports(`?id=${port.id}`))[0]).toMatchObject({
      status: 'DOWN',
      device_id: '',
      fixed_ips: [{ ip_address: '10.0.0.77' }],
    })
  })

  it('tries three nodes, one after the other, and says what the last one said', async () => {
    const nodes = await Promise.all(['n1', 'n2', 'n3', 'n4'].map((name) => world.node(name)))
    await world.network()
    const id = await world.asked()
    const failed: string[] = []
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { 'OS-EXT-SRV-ATTR:hypervisor_hostname': node } = await world.server(id)
      expect(nodes).toContain(node)
      failed.push(node)
      await world.change(node, {
        provision_state: 'deploy failed',
        last_error: `no disk in ${attempt}`,
        operation: null,
      })
      expect((await world.get(node)).provision_state).toBe('deleting')
      await world.tornDown(node)
    }
    expect(new Set(failed).size).toBe(3)
    expect(await world.server(id)).toMatchObject({
      status: 'ERROR',
      fault: { message: expect.stringContaining('no disk in 2') },
    })
    expect(await ports()).toEqual([])
    for (const node of nodes) expect((await world.get(node)).instance_uuid).toBeNull()
    await world.ask('DELETE', `${servers}/${id}`)
    expect((await world.ask('GET', `${servers}/${id}`)).status).toBe(404)
  })

  it('for which there is no node says how many lack what', async () => {
    await world.node('n1', { maintenance: true })
    await world.node('n2', { resource_class: 'other' })
    await world.node('n3', { provision_state: 'manageable' })
    const id = await world.asked({ networks: 'none' })
    expect(await world.server(id)).toMatchObject({
      status: 'ERROR',
      fault: { message: 'No valid host was found. Of 3 nodes: 2 not available, 1 not of the resource class.' },
    })
  })

  it('whose network has no address left, or whose node no card, gives its node back', async () => {
    const network = await world.network('10.0.0.0/30')
    const last = await world.made('/network/v2.0/ports', { port: { network_id: network } })
    const node = await world.node('n1')
    const full = await world.asked()
    expect(await world.server(full)).toMatchObject({
      status: 'ERROR',
      fault: { message: expect.stringContaining('No more IP addresses') },
    })
    const bare = await world.node('n2', {}, 0)
    await world.change(node, { maintenance: true })
    await world.ask('DELETE', `/network/v2.0/ports/${last.id}`)
    const carded = await world.asked()
    expect(await world.server(carded)).toMatchObject({
      status: 'ERROR',
      fault: { message: expect.stringContaining('no free card') },
    })
    for (const each of [node, bare])
      expect(await world.get(each)).toMatchObject({
        provision_state: 'available',
        instance_uuid: null,
        instance_info: {},
      })
    expect(await ports()).toEqual([])
  })

  it('is one of ten that are asked for at once: five nodes, five servers, no node with two', async () => {
    await Promise.all(['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => world.node(name)))
    await world.made(servers, {
      server: { name: 'many', imageRef: world.image, flavorRef: 'm1', networks: 'none', min_count: 10 },
    })
    const listed = (await world.ask('GET', `${servers}/detail`, undefined, world.admin)).body
    expect(listed.servers).toEqual([])
    const own = (await world.ask('GET', `${servers}/detail`)).body.servers as Array<{ status: string; hostId: string }>
    expect(own.map(({ status }) => status).sort()).toEqual([...Array(5).fill('BUILD'), ...Array(5).fill('ERROR')])
    expect(new Set(own.flatMap(({ hostId }) => (hostId === '' ? [] : [hostId]))).size).toBe(5)
  })

  it('is rebooted, stopped, started, rescued and rebuilt by its node', async () => {
    const node = await world.node('n1')
    const id = await world.asked({ networks: 'none' })
    const act = async (action: object): Promise<number> =>
      (await world.ask('POST', `${servers}/${id}/action`, action)).status
    expect(await act({ 'os-stop': null })).toBe(409)
    await world.deployed(node)
    const steps: Array<[object, string, object, string]> = [
      [{ reboot: { type: 'HARD' } }, 'HARD_REBOOT', { power_state: 'power on' }, 'ACTIVE'],
      [{ 'os-stop': null }, 'ACTIVE', { power_state: 'power off' }, 'SHUTOFF'],
      [{ 'os-start': null }, 'SHUTOFF', { power_state: 'power on' }, 'ACTIVE'],
      [
        { rescue: { adminPass: 'secret', rescue_image_ref: world.image } },
        'ACTIVE',
        { provision_state: 'rescue', target_provision_state: null },
        'RESCUE',
      ],
      [{ unrescue: null }, 'RESCUE', { provision_state: 'active', target_provision_state: null }, 'ACTIVE'],
      [
        { rebuild: { imageRef: world.image } },
        'REBUILD',
        { provision_state: 'active', target_provision_state: null },
        'ACTIVE',
      ],
    ]
    for (const [action, during, then, after] of steps) {
      expect(await act(action), JSON.stringify(action)).toBeLessThan(300)
      expect((await world.server(id)).status, JSON.stringify(action)).toBe(during)
      expect(await act({ reboot: { type: 'HARD' } }), JSON.stringify(action)).toBe(409)
      await world.change(node, {
        target_power_state: null,
        power_operation: null,
        operation: null,
        deadline: null,
        ...then,
      })
      expect((await world.server(id)).status, JSON.stringify(action)).toBe(after)
    }
  })

  it('that is deleted while it is made goes as soon as its node lets it', async () => {
    const node = await world.node('n1')
    await world.network()
    const id = await world.asked()
    await world.ask('DELETE', `${servers}/${id}`)
    expect((await world.get(node)).instance_uuid).toBe(id)
    await world.change(node, { provision_state: 'wait call-back', operation: null })
    expect((await world.get(node)).provision_state).toBe('deleting')
    await world.tornDown(node)
    expect((await world.ask('GET', `${servers}/${id}`)).status).toBe(404)
    expect(await ports()).toEqual([])
  })

  it('that nothing could come of is refused, and nothing is written', async () => {
    const refused: Record<string, object> = {
      'an unknown image': { imageRef: '7e0c0c3a-0d5b-4f39-8a4e-8a9bd6f3a999' },
      'an unknown flavor': { flavorRef: 'none' },
      'an unknown key': { key_name: 'none' },
      'an unknown zone': { availability_zone: 'atlantis' },
      'an unknown network': { networks: [{ uuid: '7e0c0c3a-0d5b-4f39-8a4e-8a9bd6f3a999' }] },
      'no name': { name: '' },
      'user data that is not base64': { user_data: '#!' },
      'a volume': { block_device_mapping_v2: [{ source_type: 'volume', uuid: 'x' }] },
    }
    for (const [what, more] of Object.entries(refused)) {
      const server = { name: 'web', imageRef: world.image, flavorRef: 'm1', networks: 'none', ...more }
      const reply = await world.ask('POST', servers, { server })
      expect([reply.status, Object.keys(reply.body)], what).toEqual([400, ['badRequest']])
    }
    expect((await world.ask('GET', servers)).body.servers).toEqual([])
  })

  it("is its project's: others neither see nor touch it", async () => {
    await world.node('n1')
    const id = await world.asked({ networks: 'none' })
    const { token } = await world.stone.member('others', 'member')
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/action'],
    ] as const)
      expect(
        (await world.ask(method, `${servers}/${id}${path}`, method === 'POST' ? { lock: null } : undefined, token))
          .status,
      ).toBe(404)
    expect((await world.ask('GET', servers, undefined, token)).body.servers).toEqual([])
    expect((await world.ask('GET', `${servers}?all_tenants=1`, undefined, token)).status).toBe(403)
    expect((await world.ask('GET', `${servers}?all_tenants=1`, undefined, world.admin)).body.servers).toMatchObject([
      { id },
    ])
  })
})
