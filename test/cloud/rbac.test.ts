import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { withSite } from './control-plane.ts'
import { type KeystoneCloud, openKeystone } from './keystone.ts'
import { PaperSite } from './paper-site.ts'

type Person = Awaited<ReturnType<KeystoneCloud['member']>>

let stone: KeystoneCloud
let site: PaperSite
let admin: string
let owner: Person
let lessee: Person
let stranger: Person
/** Owned by `owners`, leased by `lessees`. */
let node: string

async function open(): Promise<void> {
  stone = await openKeystone()
  admin = await stone.admin()
  const { appliance } = await withSite({ ...stone.cloud, client: stone.client(admin) })
  site = new PaperSite(stone.cloud, appliance)
  owner = await stone.member('owners', 'admin')
  lessee = await stone.member('lessees', 'manager')
  stranger = await stone.member('strangers', 'admin')
  node = await enrolled('n1', { owner: owner.project, lessee: lessee.project })
}
const close = () => stone[Symbol.asyncDispose]()

async function enrolled(name: string, more: Record<string, unknown>): Promise<string> {
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'pa55' }
  const body = { name, driver: 'ipmi', driver_info, ...more }
  const reply = await stone.baremetal('POST', '/v1/nodes', admin, body)
  expect(reply.status).toBe(201)
  return reply.body.uuid
}
const status = async (method: string, path: string, token: string, body?: unknown) =>
  (await stone.baremetal(method, path, token, body)).status
const patch = (token: string, path: string, value: unknown) =>
  status('PATCH', `/v1/nodes/${node}`, token, [{ op: 'add', path, value }])
const names = async (token: string, path = '/v1/nodes') =>
  (await stone.baremetal('GET', path, token)).body.nodes.map((each: { name: string }) => each.name)

describe('who is let do nothing', () => {
  beforeAll(open)
  afterAll(close)

  it('who has no token, or a bad one, is told where tokens are', async () => {
    for (const token of [undefined, 'v1.x.y']) {
      const reply = await stone.baremetal('GET', '/v1/nodes', token)
      expect(reply.status).toBe(401)
      expect(reply.headers.get('www-authenticate')).toBe('Keystone uri="http://cloud.test/identity"')
    }
    expect((await stone.baremetal('GET', '/v1', undefined)).status).toBe(200)
  })

  it('a token without a scope is good for nothing here', async () => {
    const token = await stone.login(owner.name, 'secret')
    expect(await status('GET', '/v1/nodes', token)).toBe(403)
    expect(await status('GET', `/v1/nodes/${node}`, token)).toBe(404)
  })

  describe('a node that a project has no part in', () => {
    it.each([
      ['GET', ''],
      ['PATCH', '', [{ op: 'add', path: '/extra/a', value: 1 }]],
      ['DELETE', ''],
      ['GET', '/states'],
      ['GET', '/validate'],
      ['GET', '/ports'],
      ['GET', '/history'],
      ['GET', '/traits'],
      ['PUT', '/states/provision', { target: 'manage' }],
      ['PUT', '/states/power', { target: 'power on' }],
      ['PUT', '/maintenance', {}],
      ['PUT', '/traits/CUSTOM_A'],
      ['PUT', '/management/boot_device', { boot_device: 'pxe' }],
    ])('is as if it were not: %s …%s', async (method, path, body?: unknown) => {
      for (const ident of [node, 'n1']) {
        const hidden = await stone.baremetal(method, `/v1/nodes/${ident}${path}`, stranger.token, body)
        const missing = await stone.baremetal(method, `/v1/nodes/n-none${path}`, stranger.token, body)
        expect(hidden.status).toBe(404)
        expect(hidden.body.error_message.replaceAll(ident, 'n-none')).toBe(missing.body.error_message)
      }
    })

    it('is in none of its lists', async () => {
      const { uuid } = (
        await stone.baremetal('POST', '/v1/ports', admin, { node_uuid: node, address: '52:54:00:00:00:01' })
      ).body
      expect(await names(stranger.token)).toEqual([])
      expect(await names(stranger.token, '/v1/nodes/detail?owner=' + owner.project)).toEqual([])
      expect(await status('GET', `/v1/nodes?project=${owner.project}`, stranger.token)).toBe(403)
      expect((await stone.baremetal('GET', '/v1/ports', stranger.token)).body.ports).toEqual([])
      for (const query of [`?node=${node}`, `?node=n1`])
        expect(await status('GET', `/v1/ports${query}`, stranger.token)).toBe(404)
      expect((await stone.baremetal('GET', '/v1/ports?address=52:54:00:00:00:01', stranger.token)).body.ports).toEqual(
        [],
      )
      for (const method of ['GET', 'DELETE'])
        expect(await status(method, `/v1/ports/${uuid}`, stranger.token)).toBe(404)
      const port = { node_uuid: node, address: '52:54:00:00:00:02' }
      expect(await status('POST', '/v1/ports', stranger.token, port)).toBe(400)
      expect(await status('GET', `/v1/ports/${uuid}`, lessee.token)).toBe(200)
      expect((await stone.baremetal('GET', '/v1/ports', owner.token)).body.ports).toHaveLength(1)
    })
  })
})

describe('who has a part in a node', () => {
  beforeEach(open)
  afterEach(close)

  describe('readers', () => {
    it('of the project see the node and change nothing', async () => {
      const reader = await stone.member('owners', 'reader')
      expect(await status('GET', `/v1/nodes/${node}`, reader.token)).toBe(200)
      const refused = [
        patch(reader.token, '/extra/a', 1),
        status('DELETE', `/v1/nodes/${node}`, reader.token),
        status('PUT', `/v1/nodes/${node}/states/provision`, reader.token, { target: 'manage' }),
        status('PUT', `/v1/nodes/${node}/states/power`, reader.token, { target: 'power on' }),
        status('PUT', `/v1/nodes/${node}/maintenance`, reader.token, {}),
        status('POST', '/v1/nodes', reader.token, { driver: 'ipmi' }),
        status('POST', '/v1/ports', reader.token, { node_uuid: node, address: '52:54:00:00:00:02' }),
      ]
      expect(await Promise.all(refused)).toEqual(refused.map(() => 403))
      const denied = await stone.baremetal('DELETE', `/v1/nodes/${node}`, reader.token)
      expect(JSON.parse(denied.body.error_message).faultstring).toBe(
        'Access was denied to the following resource: baremetal:node:delete',
      )
    })

    it('of a project see neither drivers, conductors nor sites, which are the system’s', async () => {
      for (const path of ['/v1/drivers', '/v1/conductors', '/v1/sites']) {
        expect(await status('GET', path, owner.token)).toBe(403)
        expect(await status('GET', path, admin)).toBe(200)
      }
      expect(await status('POST', '/v1/sites/berlin/tokens', owner.token)).toBe(403)
    })
  })

  describe('the owner', () => {
    it('changes most of the node, but neither owner nor site', async () => {
      expect(await patch(owner.token, '/driver_info/ipmi_address', '192.0.2.2')).toBe(200)
      expect(await patch(owner.token, '/lessee', null)).toBe(200)
      expect(await patch(owner.token, '/owner', stranger.project)).toBe(403)
      expect(await patch(owner.token, '/conductor_group', 'berlin')).toBe(403)
      expect(await patch(owner.token, '/automated_clean', true)).toBe(200)
      expect(await patch(owner.token, '/automated_clean', false)).toBe(403)
      expect(await patch(admin, '/automated_clean', false)).toBe(200)
    })

    it('enrols nodes of its own, and deletes them', async () => {
      const made = await stone.baremetal('POST', '/v1/nodes', owner.token, { name: 'own', driver: 'ipmi' })
      expect(made.body).toMatchObject({ owner: owner.project })
      const others = { driver: 'ipmi', owner: stranger.project }
      expect(await status('POST', '/v1/nodes', owner.token, others)).toBe(400)
      const member = await stone.member('owners', 'member')
      expect(await status('POST', '/v1/nodes', member.token, { driver: 'ipmi' })).toBe(403)
      expect(await status('DELETE', '/v1/nodes/own', member.token)).toBe(403)
      expect(await status('DELETE', '/v1/nodes/own', owner.token)).toBe(204)
    })
  })

  describe('the lessee', () => {
    it('sees the node without what tells of the infrastructure', async () => {
      const seen = (await stone.baremetal('GET', `/v1/nodes/${node}`, lessee.token)).body
      expect(JSON.stringify(seen)).not.toContain('192.0.2.1')
      expect(seen.driver_info.content).toMatch(/Redacted/)
      expect((await stone.baremetal('GET', `/v1/nodes/${node}`, owner.token)).body.driver_info).toMatchObject({
        ipmi_address: '192.0.2.1',
        ipmi_password: '******',
      })
      expect(await names(lessee.token)).toEqual(['n1'])
      const [listed] = (await stone.baremetal('GET', '/v1/nodes/detail', lessee.token)).body.nodes
      expect(JSON.stringify(listed)).not.toContain('192.0.2.1')
      expect((await stone.baremetal('GET', `/v1/nodes/${node}/states`, lessee.token)).body.last_error).toMatch(
        /Redacted/,
      )
      expect(await status('GET', `/v1/nodes/${node}/history`, lessee.token)).toBe(403)
    })

    it('uses it, and leaves its fittings alone', async () => {
      expect(await patch(lessee.token, '/extra/a', 1)).toBe(200)
      expect(await patch(lessee.token, '/instance_info/a', 1)).toBe(200)
      expect(await patch(lessee.token, '/driver_info/a', 1)).toBe(403)
      expect(await patch(lessee.token, '/lessee', stranger.project)).toBe(403)
      const manage = { target: 'manage' }
      const member = await stone.member('lessees', 'member')
      expect(await status('PUT', `/v1/nodes/${node}/states/provision`, member.token, manage)).toBe(403)
      expect(await status('PUT', `/v1/nodes/${node}/states/provision`, lessee.token, manage)).toBe(202)
    })
  })

  it('who has a node deployed leases it until it is torn down, and history tells who it was', async () => {
    const own = await enrolled('n2', {
      owner: owner.project,
      instance_info: { image_source: 'http://i.test/i', image_checksum: 'a'.repeat(64) },
    })
    await stone.baremetal('POST', '/v1/ports', admin, { node_uuid: own, address: '52:54:00:00:00:03' })
    const verb = async (target: string, token: string) => {
      const reply = await stone.baremetal('PUT', `/v1/nodes/${own}/states/provision`, token, { target })
      expect(reply, target).toMatchObject({ status: 202 })
      await stone.cloud.settle()
      await site.carryOut(own)
    }
    const lesseeNow = async () => (await stone.baremetal('GET', `/v1/nodes/${own}`, admin)).body.lessee
    await verb('manage', admin)
    await verb('provide', admin)
    await verb('active', owner.token)
    expect(await lesseeNow()).toBe(owner.project)
    const { history } = (await stone.baremetal('GET', `/v1/nodes/${own}/history?detail=true&bloomery=1`, owner.token))
      .body
    const started = history.find(({ event }: { event: string }) => event.includes('available to deploying'))
    expect(started).toMatchObject({ user: owner.user, project: owner.project })
    await verb('deleted', owner.token)
    expect(await lesseeNow()).toBeNull()
  })
})
