import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeVolume } from '../../lambdas/volume/change-volume.ts'
import { InstanceWorld } from './instance-world.ts'

/** Request by request, what others may not do to a project, and its own readers neither. */

const compute = '/compute/v2.1'
const network = '/network/v2.0'
const volume = '/volume/v3'
const SNAPSHOT = '5a000000-0000-4000-8000-000000000001'
const ATTACHMENT = 'a7000000-0000-4000-8000-000000000001'

let world: InstanceWorld
let people: Record<'others' | 'reader', string>
/** What the project has, by a word for it. */
let had: Record<string, string>
beforeAll(async () => {
  world = await InstanceWorld.open()
  const { stone } = world
  const reader = await stone.member('tenants', 'reader')
  people = { others: (await stone.member('others', 'member')).token, reader: reader.token }
  await world.flavor()
  const secret = { id: 'secret', name: 'secret', vcpus: 1, ram: 1, disk: 1, 'os-flavor-access:is_public': false }
  await world.made(`${compute}/flavors`, { flavor: secret }, world.admin)
  const everybodys = { network: { name: 'shared', shared: true } }
  const shared = (await world.made(`${network}/networks`, everybodys, world.admin)).id
  const own = await world.network()
  const { id: disk } = await world.made(`${volume}/volumes`, { volume: { size: 1 } })
  await changeVolume(world.cloud.platform, disk, () => ({
    snapshots: [
      {
        uuid: SNAPSHOT,
        name: null,
        description: null,
        metadata: {},
        size: 1,
        status: 'available',
        created_at: '2026-01-01T00:00:00.000Z',
        updated_at: null,
      },
    ],
    attachments: [
      {
        uuid: ATTACHMENT,
        server: null,
        status: 'reserved',
        mode: 'rw',
        connector: null,
        secret: null,
        exported: null,
        attached_at: null,
      },
    ],
  }))
  const group = { name: 'g', policies: ['anti-affinity'] }
  had = {
    shared,
    network: own,
    subnet: (await world.ask('GET', `${network}/networks/${own}`)).body.network.subnets[0],
    port: (await world.made(`${network}/ports`, { port: { network_id: own } })).id,
    server: await world.asked({ networks: 'none' }),
    group: (await world.made(`${compute}/os-server-groups`, { server_group: group })).id,
    volume: disk,
    snapshot: SNAPSHOT,
    attachment: ATTACHMENT,
    project: reader.project,
    user: reader.user,
    image: world.image,
  }
})
afterAll(() => world[Symbol.asyncDispose]())

type Row = [status: number, method: string, path: string, body?: unknown]
/** `{word}` is the id of what the project has of that name. */
const filled = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value ?? null).replaceAll(/\{(\w+)\}/g, (_, word: string) => had[word] ?? word)) as T
const server = { name: 'x', imageRef: '{image}', flavorRef: 'm1', networks: 'none' }

const rows: Record<'others' | 'reader', Row[]> = {
  others: [
    [404, 'GET', `${compute}/servers/{server}`],
    [404, 'GET', `${compute}/servers/{server}/os-instance-actions`],
    [404, 'POST', `${compute}/servers/{server}/action`, { lock: null }],
    [404, 'PUT', `${compute}/servers/{server}/tags/mine`],
    [404, 'GET', `${compute}/servers/{server}/os-volume_attachments`],
    [403, 'GET', `${compute}/servers?all_tenants=1`],
    [404, 'GET', `${compute}/os-server-groups/{group}`],
    [404, 'DELETE', `${compute}/os-server-groups/{group}`],
    [400, 'POST', `${compute}/servers`, { server, 'os:scheduler_hints': { group: '{group}' } }],
    [404, 'GET', `${compute}/flavors/secret`],
    [400, 'POST', `${compute}/servers`, { server: { ...server, flavorRef: 'secret' } }],
    [403, 'GET', `${compute}/os-keypairs?user_id={user}`],
    [403, 'POST', `${compute}/os-keypairs`, { keypair: { name: 'k', user_id: '{user}' } }],
    [403, 'GET', `${compute}/os-quota-sets/{project}`],
    [403, 'GET', `${compute}/os-quota-sets/{project}/detail`],
    [403, 'PUT', `${compute}/os-quota-sets/{project}`, { quota_set: { instances: 0 } }],
    [403, 'GET', `${compute}/limits?tenant_id={project}`],
    [403, 'GET', `${compute}/os-simple-tenant-usage/{project}`],
    [404, 'GET', `${network}/networks/{network}`],
    [404, 'GET', `${network}/subnets/{subnet}`],
    [404, 'PUT', `${network}/subnets/{subnet}`, { subnet: { name: 'mine' } }],
    [404, 'POST', `${network}/ports`, { port: { network_id: '{network}' } }],
    [403, 'POST', `${network}/ports`, { port: { network_id: '{shared}', project_id: '{project}' } }],
    [403, 'POST', `${network}/networks`, { network: { project_id: '{project}' } }],
    [403, 'POST', `${network}/security-groups`, { security_group: { name: 's', project_id: '{project}' } }],
    [403, 'PUT', `${network}/networks/{shared}`, { network: { name: 'mine' } }],
    [404, 'GET', `${network}/ports/{port}`],
    [404, 'PUT', `${network}/ports/{port}/tags/mine`],
    [404, 'POST', `${network}/trunks`, { trunk: { port_id: '{port}' } }],
    [403, 'GET', `${network}/quotas/{project}`],
    [404, 'GET', `${volume}/volumes/{volume}`],
    [404, 'PUT', `${volume}/volumes/{volume}/metadata`, { metadata: {} }],
    [404, 'POST', `${volume}/volumes/{volume}/action`, { 'os-reserve': {} }],
    [404, 'POST', `${volume}/volumes`, { volume: { source_volid: '{volume}' } }],
    [404, 'GET', `${volume}/snapshots/{snapshot}`],
    [404, 'DELETE', `${volume}/snapshots/{snapshot}`],
    [404, 'POST', `${volume}/volumes`, { volume: { snapshot_id: '{snapshot}' } }],
    [404, 'GET', `${volume}/attachments/{attachment}`],
    [404, 'DELETE', `${volume}/attachments/{attachment}`],
  ],
  reader: [
    [200, 'GET', `${compute}/servers/{server}`],
    [403, 'POST', `${compute}/servers`, { server }],
    [403, 'PUT', `${compute}/servers/{server}`, { server: { name: 'mine' } }],
    [403, 'DELETE', `${compute}/servers/{server}`],
    [403, 'POST', `${compute}/servers/{server}/action`, { lock: null }],
    [403, 'PUT', `${compute}/servers/{server}/metadata`, { metadata: {} }],
    [403, 'DELETE', `${compute}/os-server-groups/{group}`],
    [200, 'GET', `${network}/ports/{port}`],
    [403, 'PUT', `${network}/ports/{port}`, { port: { name: 'mine' } }],
    [403, 'DELETE', `${network}/ports/{port}`],
    [403, 'PUT', `${network}/ports/{port}/tags/mine`],
    [403, 'DELETE', `${network}/subnets/{subnet}`],
    [403, 'DELETE', `${network}/networks/{network}`],
    [200, 'GET', `${volume}/volumes/{volume}`],
    [403, 'POST', `${volume}/volumes`, { volume: { size: 1 } }],
    [403, 'DELETE', `${volume}/volumes/{volume}`],
    [403, 'DELETE', `${volume}/snapshots/{snapshot}`],
    [403, 'DELETE', `${volume}/attachments/{attachment}`],
  ],
}

describe.for(Object.entries(rows) as Array<[keyof typeof rows, Row[]]>)('of a project %s', ([who, all]) => {
  it.for(all)('are answered %i to %s %s %j', async ([status, method, path, body]) => {
    const reply = await world.ask(
      method,
      filled(path),
      filled(body) ?? undefined,
      people[who],
      'compute 2.79, volume 3.60',
    )
    expect([reply.status, reply.body]).toEqual([status, reply.body])
  })
})

it('lists show others nothing of it', async () => {
  for (const path of [
    `${compute}/servers/detail`,
    `${compute}/os-server-groups`,
    `${compute}/flavors/detail`,
    `${network}/subnets`,
    `${network}/security-groups`,
    `${network}/trunks`,
    `${volume}/volumes/detail?all_tenants=1`,
    `${volume}/snapshots/detail?all_tenants=1`,
    `${volume}/attachments?all_tenants=1`,
  ]) {
    const { status, body } = await world.ask('GET', path, undefined, people.others, 'compute 2.79, volume 3.60')
    expect([path, status]).toEqual([path, 200])
    const found = Object.entries(had).filter(
      ([word, id]) => !/shared|image/.test(word) && JSON.stringify(body).includes(id),
    )
    expect([path, found, JSON.stringify(body).includes('secret')]).toEqual([path, [], false])
  }
})
