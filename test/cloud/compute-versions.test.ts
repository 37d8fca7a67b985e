import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { portStore } from '../../lambdas/network/store.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { configDrive } from '../../lambdas/compute/spawn.ts'
import { InstanceWorld } from './instance-world.ts'

/** Nova's last microversions: what each changes, and that it changes nothing before. */

let world: InstanceWorld
beforeEach(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterEach(() => world[Symbol.asyncDispose]())

const servers = '/compute/v2.1/servers'
const keypairs = '/compute/v2.1/os-keypairs'
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHrC7Y2Vt7Aw8wm2yXkVQWq9D3jEhV3dCk2mVnFvG0aA ada'
const at = (minor: number) => (method: string, path: string, body?: object) =>
  world.ask(method, path, body, world.token, `compute 2.${minor}`)

describe('the compute API', () => {
  it('goes up to 2.96', async () => {
    expect((await world.ask('GET', '/compute/v2.1')).body.version).toMatchObject({
      min_version: '2.1',
      version: '2.96',
    })
    expect((await at(97)('GET', servers)).status).toBe(406)
  })

  it('takes a key pair from 2.92 on only with its public key, and @ and . in its name', async () => {
    const mail = { keypair: { name: 'ada@example.org', public_key: KEY } }
    expect((await at(91)('POST', keypairs, mail)).status).toBe(400)
    expect((await at(92)('POST', keypairs, mail)).status).toBe(201)
    expect((await at(91)('GET', `${keypairs}/ada@example.org`)).body.keypair).toMatchObject({ name: 'ada@example.org' })
    const here = { keypair: { name: 'made here' } }
    expect(await at(92)('POST', keypairs, here)).toMatchObject({
      status: 400,
      body: { badRequest: { message: expect.stringContaining('public_key') } },
    })
    expect((await at(91)('POST', keypairs, here)).body.keypair.private_key).toContain('PRIVATE KEY')
    for (const name of [' ada', 'ada ', 'a/b', ''])
      expect((await at(96)('POST', keypairs, { keypair: { name, public_key: KEY } })).status, name).toBe(400)
  })

  it('takes a host name with its domain from 2.94 on; a DNS name of a port is the label before it', async () => {
    await world.node('n1')
    await world.network()
    const hostname = 'web.berlin.example'
    const server = { name: 'web', imageRef: world.image, flavorRef: 'm1', networks: 'auto', hostname }
    expect(await at(93)('POST', servers, { server })).toMatchObject({
      status: 400,
      body: { badRequest: { message: expect.stringContaining('2.94') } },
    })
    const { status, body } = await at(94)('POST', servers, { server })
    expect(status, JSON.stringify(body)).toBe(202)
    const { id } = body.server
    expect((await at(94)('GET', `${servers}/${id}`)).body.server).toMatchObject({
      'OS-EXT-SRV-ATTR:hostname': hostname,
    })
    const { platform } = world.cloud
    const kept = await serverStore.get(platform.table, id)
    expect((await configDrive(platform, kept!)).meta_data).toMatchObject({ hostname })
    const [port] = (await world.ask('GET', `/network/v2.0/ports?device_id=${id}`)).body.ports
    expect((await portStore.get(platform.table, port.id))?.dns_name).toBe('web')
    expect((await at(93)('PUT', `${servers}/${id}`, { server: { hostname: 'db.example' } })).status).toBe(400)
    expect((await at(94)('PUT', `${servers}/${id}`, { server: { hostname: 'db.example' } })).status).toBe(200)
    for (const wrong of ['a..b', '.a', 'a.', '-a.b', `${'a'.repeat(64)}.b`, `${'a.'.repeat(128)}b`])
      expect((await at(94)('PUT', `${servers}/${id}`, { server: { hostname: wrong } })).status, wrong).toBe(400)
  })

  it('gives one host name to one server', async () => {
    const server = {
      name: 'web',
      imageRef: world.image,
      flavorRef: 'm1',
      networks: 'none',
      hostname: 'web',
      min_count: 2,
    }
    expect(await at(90)('POST', servers, { server })).toMatchObject({
      status: 400,
      body: { badRequest: { message: 'Unable to allocate a single hostname to multiple instances.' } },
    })
  })

  it('says from 2.96 on which zone a server was asked for in, wherever it shows it', async () => {
    await world.node('n1')
    await world.node('n2')
    const pinned = await world.asked({ networks: 'none', availability_zone: 'berlin' })
    const anywhere = await world.asked({ networks: 'none' })
    const zone = async (minor: number, id: string) =>
      (await at(minor)('GET', `${servers}/${id}`)).body.server.pinned_availability_zone
    expect([await zone(95, pinned), await zone(96, pinned), await zone(96, anywhere)]).toEqual([
      undefined,
      'berlin',
      null,
    ])
    const { body } = await at(96)('GET', `${servers}/detail`)
    const listed = body.servers.map((each: Record<string, string>) => each['pinned_availability_zone'])
    expect(new Set(listed)).toEqual(new Set(['berlin', null]))
    const put = await at(96)('PUT', `${servers}/${pinned}`, { server: { name: 'other' } })
    expect(put.body.server).toMatchObject({ pinned_availability_zone: 'berlin' })
  })
})

describe('a server', () => {
  it('is not rescued by an image that is not there, or not its owner’s to see', async () => {
    const node = await world.node('n1')
    const id = await world.asked({ networks: 'none' })
    await world.deployed(node)
    for (const rescue_image_ref of ['0b5f4e9c-3a52-4c36-9a0e-0f6a2d4b7c11', 'debian'])
      expect((await at(1)('POST', `${servers}/${id}/action`, { rescue: { rescue_image_ref } })).status).toBe(400)
    expect((await world.get(node)).provision_state).toBe('active')
  })
})
