import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KeystoneCloud, openKeystone, type Reply } from './keystone.ts'

let stone: KeystoneCloud
let token: string
let project: string
beforeAll(async () => {
  stone = await openKeystone()
  ;({ token, project } = await stone.member('tenants', 'member'))
})
afterAll(() => stone[Symbol.asyncDispose]())

async function ask(method: string, path: string, body?: unknown, as = token): Promise<Reply> {
  const reply = await stone.cloud.request(`/network/v2.0${path}`, {
    method,
    headers: { 'x-auth-token': as },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
}
async function made(path: string, body: unknown, as = token) {
  const reply = await ask('POST', path, body, as)
  expect(reply.status, JSON.stringify(reply.body)).toBe(201)
  return Object.values(reply.body)[0] as any // oxlint-disable-line typescript/no-explicit-any -- what a stranger's program would get
}
const network = async (name = 'blue') => made('/networks', { network: { name } })
const subnet = (network_id: string, cidr: string, more: object = {}) =>
  made('/subnets', { subnet: { network_id, cidr, ip_version: cidr.includes(':') ? 6 : 4, ...more } })
const ipsOf = (port: { fixed_ips: Array<{ ip_address: string }> }) => port.fixed_ips.map((each) => each.ip_address)
const message = (reply: Reply): string => reply.body.NeutronError.message

describe('a network', () => {
  it('belongs to its project: others see it when it is shared, and nobody else changes it', async () => {
    const { id, status, tenant_id } = await network()
    expect({ status, tenant_id }).toEqual({ status: 'ACTIVE', tenant_id: project })
    const other = await stone.member('others', 'member')
    expect((await ask('GET', `/networks/${id}`, undefined, other.token)).status).toBe(404)
    expect((await ask('GET', '/networks?name=blue', undefined, other.token)).body.networks).toEqual([])
    const admin = await stone.admin()
    expect((await ask('PUT', `/networks/${id}`, { network: { shared: true } })).status).toBe(403)
    expect((await ask('PUT', `/networks/${id}`, { network: { shared: true } }, admin)).status).toBe(200)
    expect((await ask('GET', `/networks/${id}`, undefined, other.token)).status).toBe(200)
    expect((await ask('DELETE', `/networks/${id}`, undefined, other.token)).status).toBe(403)
    expect((await ask('DELETE', `/networks/${id}`)).status).toBe(204)
  })

  it('is found by name, and a list comes in pages', async () => {
    for (const name of ['a', 'b', 'c']) await network(name)
    expect((await ask('GET', '/networks?name=b')).body.networks).toMatchObject([{ name: 'b' }])
    const names: string[] = []
    for (let at: string | undefined = '?limit=2&name=a&name=b&name=c'; at !== undefined;) {
      const { body }: Reply = await ask('GET', `/networks${at}`)
      const { networks, networks_links: links } = body
      expect(networks.length).toBeLessThanOrEqual(2)
      names.push(...networks.map(({ name }: { name: string }) => name))
      at = links && new URL(links[0].href).search
    }
    expect(names.sort()).toEqual(['a', 'b', 'c'])
  })

  it('as a VLAN of a physical network is made by administrators, who alone see that', async () => {
    const asked = {
      network: {
        'provider:network_type': 'vlan',
        'provider:physical_network': 'rack',
        'provider:segmentation_id': 7,
        shared: true,
      },
    }
    expect((await ask('POST', '/networks', asked)).status).toBe(403)
    const admin = (await stone.member('admins', 'admin')).token
    const { id } = await made('/networks', asked, admin)
    expect((await ask('GET', `/networks/${id}`, undefined, admin)).body.network).toMatchObject({
      'provider:segmentation_id': 7,
    })
    expect((await ask('GET', `/networks/${id}`)).body.network).not.toHaveProperty('provider:segmentation_id')
  })

  it('is not deleted while ports are on it', async () => {
    const { id } = await network()
    await subnet(id, '10.0.0.0/24')
    const port = await made('/ports', { port: { network_id: id } })
    const refused = await ask('DELETE', `/networks/${id}`)
    expect([refused.status, message(refused)]).toEqual([409, expect.stringContaining(port.id)])
    await ask('DELETE', `/ports/${port.id}`)
    expect((await ask('DELETE', `/networks/${id}`)).status).toBe(204)
    expect((await ask('GET', `/subnets?network_id=${id}`)).body.subnets).toEqual([])
  })
})

describe('a subnet', () => {
  it('has its first address as gateway and the others to give, if nobody says otherwise', async () => {
    const { id } = await network()
    expect(await subnet(id, '10.0.0.77/24')).toMatchObject({
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    })
    expect(await subnet(id, '2001:DB8::/64')).toMatchObject({
      cidr: '2001:db8::/64',
      gateway_ip: '2001:db8::1',
      allocation_pools: [{ start: '2001:db8::2', end: '2001:db8::ffff:ffff:ffff:ffff' }],
    })
  })

  it.each([
    ['overlaps another', { cidr: '10.0.0.128/25' }, 400],
    ['has a pool outside', { cidr: '10.1.0.0/24', allocation_pools: [{ start: '10.1.0.2', end: '10.1.1.9' }] }, 400],
    [
      'has pools over each other',
      {
        cidr: '10.1.0.0/24',
        allocation_pools: [
          { start: '10.1.0.2', end: '10.1.0.9' },
          { start: '10.1.0.9', end: '10.1.0.20' },
        ],
      },
      409,
    ],
    [
      'has its gateway in a pool',
      { cidr: '10.1.0.0/24', gateway_ip: '10.1.0.5', allocation_pools: [{ start: '10.1.0.2', end: '10.1.0.9' }] },
      409,
    ],
    ['has a gateway elsewhere', { cidr: '10.1.0.0/24', gateway_ip: '10.2.0.1' }, 400],
    ['is of another version', { cidr: '2001:db8::/64' }, 400],
    ['is everything', { cidr: '0.0.0.0/0' }, 400],
    ['is nonsense', { cidr: '10.1/24' }, 400],
  ])('that %s is refused', async (_what, given, status) => {
    const { id } = await network()
    await subnet(id, '10.0.0.0/24')
    const reply = await ask('POST', '/subnets', { subnet: { network_id: id, ip_version: 4, ...given } })
    expect(reply.status, JSON.stringify(reply.body)).toBe(status)
  })
})

describe('a port', () => {
  it('gets an address of each version, those that it chose, and a MAC of its own', async () => {
    const { id } = await network()
    await subnet(id, '10.0.0.0/24')
    await subnet(id, '2001:db8::/64')
    const one = await made('/ports', { port: { network_id: id } })
    expect(ipsOf(one)).toEqual([expect.stringMatching(/^10\.0\.0\./), expect.stringMatching(/^2001:db8::/)])
    expect(one).toMatchObject({ status: 'DOWN', mac_address: expect.stringMatching(/^fa:16:3e:/) })
    const two = await made('/ports', { port: { network_id: id, fixed_ips: [{ ip_address: '2001:db8:0::AB' }] } })
    expect(ipsOf(two)).toEqual(['2001:db8::ab'])
    for (const taken of [{ fixed_ips: [{ ip_address: '2001:db8::ab' }] }, { mac_address: two.mac_address }]) {
      const refused = await ask('POST', '/ports', { port: { network_id: id, ...taken } })
      expect([refused.status, message(refused)]).toEqual([409, expect.stringMatching(/already allocated|in use/)])
    }
    expect((await ask('GET', `/ports?fixed_ips=ip_address=2001:db8::ab`)).body.ports).toMatchObject([{ id: two.id }])
  })

  it('of fifty at once: no two have an address or a MAC, and all addresses are given; then none is left; those given back come again', async () => {
    const { id } = await network()
    await subnet(id, '10.0.0.0/26', {
      allocation_pools: [
        { start: '10.0.0.10', end: '10.0.0.34' },
        { start: '10.0.0.36', end: '10.0.0.60' },
      ],
    })
    const ports = await Promise.all(Array.from({ length: 50 }, () => made('/ports', { port: { network_id: id } })))
    expect(new Set(ports.flatMap(ipsOf)).size).toBe(50)
    expect(new Set(ports.map(({ mac_address }) => mac_address)).size).toBe(50)
    const none = await ask('POST', '/ports', { port: { network_id: id } })
    expect([none.status, message(none)]).toEqual([409, expect.stringContaining('No more IP addresses')])
    const [gone] = ports
    await ask('DELETE', `/ports/${gone.id}`)
    expect(ipsOf(await made('/ports', { port: { network_id: id } }))).toEqual(ipsOf(gone))
  })

  it('changes its addresses, and gives back those that it leaves', async () => {
    const { id } = await network()
    await subnet(id, '10.0.0.0/24')
    const port = await made('/ports', { port: { network_id: id, fixed_ips: [{ ip_address: '10.0.0.5' }] } })
    const changed = await ask('PUT', `/ports/${port.id}`, {
      port: { name: 'left', fixed_ips: [{ ip_address: '10.0.0.6' }] },
    })
    expect(changed.body.port).toMatchObject({ name: 'left', fixed_ips: [{ ip_address: '10.0.0.6' }] })
    expect(ipsOf(await made('/ports', { port: { network_id: id, fixed_ips: [{ ip_address: '10.0.0.5' }] } }))).toEqual([
      '10.0.0.5',
    ])
    expect((await ask('PUT', `/ports/${port.id}`, { port: { fixed_ips: [{ ip_address: '10.0.0.5' }] } })).status).toBe(
      409,
    )
  })

  it('is not made by those who only read, nor bound by any but administrators', async () => {
    const { id } = await network()
    const reader = await stone.member('tenants', 'reader')
    expect((await ask('POST', '/ports', { port: { network_id: id } }, reader.token)).status).toBe(403)
    expect((await ask('POST', '/ports', { port: { network_id: id, 'binding:host_id': 'x' } })).status).toBe(403)
  })
})

it('says what is not there, and to whom', async () => {
  expect((await ask('POST', '/routers', { router: {} })).status).toBe(501)
  expect((await ask('GET', '/nothing')).status).toBe(404)
  expect((await ask('GET', '/networks', undefined, 'v1.forged')).status).toBe(401)
  const bad = await ask('POST', '/networks', { network: { nonsense: 1 } })
  expect([bad.status, message(bad)]).toEqual([400, expect.stringContaining('nonsense')])
})
