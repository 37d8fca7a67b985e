import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addLogPart, logOf } from '../../lambdas/store/consoles.ts'
import { portsOf } from '../../lambdas/store/ports.ts'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterEach(() => world[Symbol.asyncDispose]())

const servers = '/compute/v2.1/servers'
const active = async (more: object = {}, cards = 1): Promise<{ id: string; node: string }> => {
  const node = await world.node('n1', {}, cards)
  const id = await world.asked(more)
  await world.deployed(node)
  return { id, node }
}
const act = async (id: string, action: object, as = world.token) =>
  world.ask('POST', `${servers}/${id}/action`, action, as)

it('a server that an administrator locked stays so for its project, as in Nova; of its own locks it has the key', async () => {
  const { id } = await active({ networks: 'none' })
  await act(id, { lock: null }, world.admin)
  expect(await act(id, { lock: { locked_reason: 'mine' } })).toMatchObject({ status: 202 })
  expect(await act(id, { unlock: null })).toMatchObject({ status: 403 })
  expect(await act(id, { reboot: { type: 'HARD' } })).toMatchObject({ status: 409 })
  expect(await act(id, { unlock: null }, world.admin)).toMatchObject({ status: 202 })
  await act(id, { lock: null })
  expect(await act(id, { unlock: null })).toMatchObject({ status: 202 })
  expect((await world.ask('GET', `${servers}/${id}`)).body.server.locked).toBe(false)
})

describe('the action log of a server', () => {
  const log = async (id: string) =>
    (await world.ask('GET', `${servers}/${id}/os-instance-actions`)).body.instanceActions as Array<{
      action: string
      request_id: string
      message: string | null
    }>
  const events = async (id: string, request: string) =>
    (await world.ask('GET', `${servers}/${id}/os-instance-actions/${request}`)).body.instanceAction.events

  it('has each step of its creation, and what was done to it later', async () => {
    const { id } = await active({ networks: 'none' })
    await act(id, { lock: { locked_reason: 'mine' } })
    await act(id, { unlock: null })
    const [unlock, lock, create] = await log(id)
    expect([unlock, lock, create].map((each) => each?.action)).toEqual(['unlock', 'lock', 'create'])
    const steps = ['scheduling', 'networking', 'spawning', 'deploying'].map((event) => ({ event, result: 'Success' }))
    expect(await events(id, create!.request_id)).toMatchObject(steps)
  })

  it('says which step failed, and why', async () => {
    const id = await world.asked({ networks: 'none' })
    const [create] = await log(id)
    expect(create).toMatchObject({ action: 'create', message: expect.stringContaining('No valid host') })
    expect(await events(id, create!.request_id)).toMatchObject([
      { event: 'scheduling', result: 'Error' },
      { event: 'failing', result: 'Success' },
    ])
  })

  it("knows no other request's", async () => {
    const { id } = await active({ networks: 'none' })
    expect((await world.ask('GET', `${servers}/${id}/os-instance-actions/req-none`)).status).toBe(404)
  })
})

describe('tags of a server', () => {
  it('come with it, are added, replaced and taken away, and choose servers', async () => {
    const { id } = await active({ networks: 'none', tags: ['red'] })
    const path = `${servers}/${id}/tags`
    const tags = async () => (await world.ask('GET', path)).body.tags
    expect(await tags()).toEqual(['red'])
    expect((await world.ask('PUT', `${path}/blue`)).status).toBe(201)
    expect((await world.ask('PUT', `${path}/blue`)).status).toBe(204)
    expect((await world.ask('GET', `${path}/green`)).status).toBe(404)
    const found = async (query: string) => (await world.ask('GET', `${servers}?${query}`)).body.servers.length
    expect(await found('tags=red,blue')).toBe(1)
    expect(await found('tags=red,green')).toBe(0)
    expect(await found('tags-any=red,green')).toBe(1)
    expect(await found('not-tags=red,blue')).toBe(0)
    expect(await found('not-tags-any=green')).toBe(1)
    expect((await world.ask('DELETE', `${path}/red`)).status).toBe(204)
    expect(await tags()).toEqual(['blue'])
    expect((await world.ask('PUT', path, { tags: ['a', 'b'] })).body).toEqual({ tags: ['a', 'b'] })
    expect((await world.ask('PUT', path, { tags: ['a,b'] })).status).toBe(400)
    expect((await world.ask('DELETE', path)).status).toBe(204)
    expect((await world.server(id)).tags).toEqual([])
  })
})

describe('an interface', () => {
  const vifs = async (node: string) =>
    (await portsOf(world.cloud.platform.table, node)).map((each) => each.internal_info['tenant_vif_port_id'])

  it('is attached to a free card and detached again, while the server runs', async () => {
    const network = await world.network()
    const { id, node } = await active({}, 2)
    const path = `${servers}/${id}/os-interface`
    const made = await world.ask('POST', path, { interfaceAttachment: { net_id: network } })
    expect(made.body.interfaceAttachment).toMatchObject({ net_id: network, port_state: 'ACTIVE' })
    const { port_id: port, mac_addr: mac } = made.body.interfaceAttachment
    expect((await world.server(id)).addresses.blue).toHaveLength(2)
    expect(await vifs(node)).toContain(port)
    expect((await world.ask('GET', `${path}/${port}`)).body.interfaceAttachment).toMatchObject({ mac_addr: mac })
    expect((await world.ask('POST', path, { interfaceAttachment: { net_id: network } })).status).toBe(400)
    expect((await world.ask('GET', path)).body.interfaceAttachments).toHaveLength(2)
    expect((await world.ask('DELETE', `${path}/${port}`)).status).toBe(202)
    expect((await world.ask('DELETE', `${path}/${port}`)).status).toBe(404)
    expect(await vifs(node)).not.toContain(port)
    expect((await world.server(id)).addresses.blue).toHaveLength(1)
    await world.change(node, { network_interface: 'neutron' })
    const refused = await world.ask('POST', path, { interfaceAttachment: { net_id: network } })
    expect(refused).toMatchObject({
      status: 409,
      body: { conflictingRequest: { message: expect.stringContaining('network interface neutron') } },
    })
  })

  it("that somebody made is that somebody's again", async () => {
    const network = await world.network()
    const { id } = await active({ networks: 'none' })
    const { id: port } = await world.made('/network/v2.0/ports', { port: { network_id: network } })
    const path = `${servers}/${id}/os-interface`
    expect((await world.ask('POST', path, { interfaceAttachment: { port_id: port } })).status).toBe(200)
    expect((await world.ask('DELETE', `${path}/${port}`)).status).toBe(202)
    const { body } = await world.ask('GET', `/network/v2.0/ports/${port}`)
    expect(body.port).toMatchObject({ device_id: '', status: 'DOWN' })
  })
})

describe('what is asked of a server', () => {
  it('and no bare metal can do is refused with the reason', async () => {
    const { id } = await active({ networks: 'none' })
    for (const name of ['resize', 'migrate', 'pause', 'suspend', 'shelve', 'createBackup', 'createImage'])
      expect(await act(id, { [name]: {} }), name).toMatchObject({
        status: 400,
        body: { badRequest: { message: expect.stringMatching(/: .{20,}/) } },
      })
    expect((await act(id, { nonsense: {} })).status).toBe(400)
  })

  it('by an administrator sets its state', async () => {
    const { id } = await active({ networks: 'none' })
    expect((await act(id, { 'os-resetState': { state: 'error' } })).status).toBe(403)
    expect((await act(id, { 'os-resetState': { state: 'error' } }, world.admin)).status).toBe(202)
    expect((await world.server(id)).status).toBe('ERROR')
    await act(id, { 'os-resetState': { state: 'active' } }, world.admin)
    expect((await world.server(id)).status).toBe('ACTIVE')
  })

  it('is recorded of its console from its deploy on, and no more when it is gone', async () => {
    const node = await world.node('n1', { console_interface: 'ipmitool-socat' })
    const id = await world.asked({ networks: 'none' })
    expect((await world.get(node)).console_enabled).toBe(true)
    await world.deployed(node)
    await world.ask('DELETE', `${servers}/${id}`)
    expect((await world.get(node)).console_enabled).toBe(false)
  })

  it('about its console is answered by what its site recorded', async () => {
    const { id, node } = await active({ networks: 'none' })
    expect((await act(id, { 'os-getConsoleOutput': {} })).status).toBe(404)
    await world.change(node, { console_interface: 'ipmitool-socat' })
    const said = act(id, { 'os-getConsoleOutput': { length: 2 } })
    const { platform } = world.cloud
    await expect.poll(() => logOf(platform.table, node)).toBeDefined()
    const { request } = (await logOf(platform.table, node))!
    const begun = platform.clock.now().getTime()
    const after = (seconds: number) => new Date(begun + seconds * 1000).toISOString()
    const lines = [
      [after(0), 'o', 'one\r\ntwo\r\n'],
      [after(1), 'm', 'lost'],
      [after(2), 'o', 'three'],
    ]
    await addLogPart(platform, node, 0, {
      request,
      parts: 1,
      text: lines.map((each) => JSON.stringify(each)).join('\n'),
    })
    expect((await said).body).toEqual({ output: 'two\nthree' })
    const consoles = `${servers}/${id}/remote-consoles`
    const serial = { remote_console: { protocol: 'serial', type: 'serial' } }
    expect((await world.ask('POST', consoles, serial)).body.remote_console.url).toContain(`/v1/nodes/${node}/console`)
    const vnc = { remote_console: { protocol: 'vnc', type: 'novnc' } }
    expect((await world.ask('POST', consoles, vnc)).status).toBe(400)
  })
})

it('a server has nothing of what its machine printed for whoever had it before', async () => {
  const node = await world.node('n1', { console_interface: 'ipmitool-socat' })
  const { platform } = world.cloud
  const before = platform.clock.now()
  world.cloud.pass(60)
  const id = await world.asked({ networks: 'none' })
  await world.deployed(node)
  const said = act(id, { 'os-getConsoleOutput': {} })
  await expect.poll(() => logOf(platform.table, node)).toBeDefined()
  const { request } = (await logOf(platform.table, node))!
  const lines = [before, platform.clock.now()].map((at, index) => [at.toISOString(), 'o', `secret ${index}\n`])
  const text = lines.map((each) => JSON.stringify(each)).join('\n')
  await addLogPart(platform, node, 0, { request, parts: 1, text })
  expect((await said).body).toEqual({ output: 'secret 1\n' })
})

describe('lists', () => {
  it('choose by name, by its bounds, and say usage and properties', async () => {
    const { id, node } = await active({ networks: 'none', name: 'web' })
    const found = async (query: string) => (await world.ask('GET', `${servers}?${query}`)).body.servers.length
    expect(await found('name=we')).toBe(1)
    expect(await found(`name=${encodeURIComponent('^we$')}`)).toBe(0)
    expect(await found(`name=${encodeURIComponent('^web$')}`)).toBe(1)
    const { body } = await world.ask('GET', '/compute/v2.1/os-simple-tenant-usage', undefined, world.admin)
    expect(body.tenant_usages).toMatchObject([{ total_hours: expect.any(Number) }])
    const metadata = { metadata: { role: 'db' } }
    expect((await world.ask('PUT', `${servers}/${id}/metadata`, metadata)).body).toEqual(metadata)
    await world.ask('DELETE', `${servers}/${id}`)
    await world.tornDown(node)
    expect((await world.ask('GET', `${servers}/${id}`)).status).toBe(404)
    const detailed = '/compute/v2.1/os-simple-tenant-usage?detailed=1'
    const [after] = (await world.ask('GET', detailed, undefined, world.admin)).body.tenant_usages
    expect(after.server_usages).toMatchObject([{ instance_id: id, state: 'terminated' }])
    world.cloud.pass(1200)
    const start = new Date(world.cloud.platform.clock.now().getTime() - 600_000).toISOString().slice(0, -1)
    const own = `/compute/v2.1/os-simple-tenant-usage/${after.tenant_id}`
    expect((await world.ask('GET', own, undefined, world.admin)).body.tenant_usage.server_usages).toHaveLength(1)
    expect((await world.ask('GET', `${own}?start=${start}`, undefined, world.admin)).body.tenant_usage).toEqual({})
  })
})

describe('a key pair', () => {
  it('is made for who brings none, and its private half is told once', async () => {
    const path = '/compute/v2.1/os-keypairs'
    const made = await world.made(path, { keypair: { name: 'fresh' } })
    expect(made.private_key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/)
    const { body } = await world.ask('GET', `${path}/fresh`)
    expect(body.keypair.public_key).toBe(made.public_key)
    expect(JSON.stringify(body)).not.toContain('PRIVATE')
  })
})
