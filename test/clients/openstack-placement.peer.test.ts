import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '../../lambdas/app.ts'
import { ADMIN_PASSWORD, AUTH } from '../cloud/keystone.ts'
import { InstanceWorld } from '../cloud/instance-world.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** OpenStack's own client, unmodified, with its plugin for Placement: where servers go, and how many there may be. */

let world: InstanceWorld
let server: ServerType
let shell: OpenStackShell
/** Names projects, which projects' own administrators may not. */
let overseer: OpenStackShell
let node: string

beforeAll(async () => {
  world = await InstanceWorld.open()
  // Clients compare a token's end with their own clock.
  const platform = { ...world.cloud.platform, clock: { now: () => new Date() } }
  const api = createApi(platform, { publicEndpoint: null, auth: AUTH })
  server = await new Promise<ServerType>((resolve) => {
    const started: ServerType = serve({ fetch: api.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  const settings = {
    OS_AUTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: ADMIN_PASSWORD,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
    OS_PLACEMENT_API_VERSION: '1.29',
    OS_COMPUTE_API_VERSION: '2.79',
  }
  shell = new OpenStackShell({ ...settings, OS_PROJECT_NAME: 'admin', OS_PROJECT_DOMAIN_NAME: 'Default' })
  overseer = new OpenStackShell({ ...settings, OS_SYSTEM_SCOPE: 'all' })
  node = await world.node('n1', { traits: ['CUSTOM_FAST'], properties: { rack: 'r1', cpus: 8, memory_mb: 1024 } })
  await world.flavor()
}, 120_000)
afterAll(async () => {
  shell?.[Symbol.dispose]()
  overseer?.[Symbol.dispose]()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  await world[Symbol.asyncDispose]()
})

async function text(line: string, by = shell): Promise<string> {
  const { code, stdout, stderr } = await by.run(line.split(' '))
  if (code !== 0) throw new Error(`${line}: ${stderr}`)
  await world.cloud.settle()
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const json = async (line: string): Promise<any> => JSON.parse(await text(`${line} -f json`))

it('sees providers, inventories, traits and candidates', async () => {
  expect(await json('resource provider list')).toMatchObject([{ uuid: node, name: node }])
  expect(await json(`resource provider show ${node}`)).toMatchObject({ uuid: node, root_provider_uuid: node })
  expect(await json(`resource provider inventory list ${node}`)).toMatchObject([
    { resource_class: 'CUSTOM_METAL', total: 1, reserved: 0 },
  ])
  expect(await json(`resource provider usage show ${node}`)).toEqual([{ resource_class: 'CUSTOM_METAL', usage: 0 }])
  expect(await json(`resource provider trait list ${node}`)).toEqual([{ name: 'CUSTOM_FAST' }])
  await text(`resource provider trait set ${node} --trait CUSTOM_FAST --trait CUSTOM_NEW`)
  expect((await world.get(node)).traits).toEqual(['CUSTOM_FAST', 'CUSTOM_NEW'])
  expect(await json('allocation candidate list --resource CUSTOM_METAL=1 --required CUSTOM_NEW')).toMatchObject([
    { 'resource provider': node },
  ])
  await text('trait create CUSTOM_LATER')
  expect((await json('trait list --name startswith:CUSTOM')).map((each: { name: string }) => each.name)).toEqual([
    'CUSTOM_FAST',
    'CUSTOM_LATER',
    'CUSTOM_NEW',
  ])
  await text('resource class create CUSTOM_GOLD')
  expect(await json('resource class show CUSTOM_GOLD')).toMatchObject({ name: 'CUSTOM_GOLD' })
  await expect(text('resource provider create x')).rejects.toThrow(/baremetal node create/)
}, 180_000)

it('makes a group, a server in it, and sees what it uses', async () => {
  const group = await json('server group create spread --policy anti-affinity')
  expect(group).toMatchObject({ name: 'spread' })
  await text(`server create web --flavor m1 --image ${world.image} --nic none --hint group=${group.id}`)
  const { id } = await json('server show web')
  expect((await json('server group show spread')).members).toContain(id)
  expect(await json('server group list')).toMatchObject([{ Name: 'spread' }])
  expect(await json(`resource provider allocation show ${id}`)).toMatchObject([
    { resource_provider: node, resources: { CUSTOM_METAL: 1 } },
  ])
  expect(await json('hypervisor stats show')).toMatchObject({ count: 1, running_vms: 1, vcpus: 8 })
}, 180_000)

it('sets and shows quotas', async () => {
  await text('quota set --instances 1 --cores 64 --networks 1 admin', overseer)
  expect(await json('quota show')).toMatchObject({ instances: 1, cores: 64, networks: 1, ram: -1 })
  await expect(text(`server create two --flavor m1 --image ${world.image} --nic none`)).rejects.toThrow(
    /Quota exceeded for instances/,
  )
  await text('network create one')
  await expect(text('network create two')).rejects.toThrow(/Quota exceeded for network/)
  await text('network delete one')
  await text('network create three')
}, 180_000)

it('makes an aggregate that is a zone', async () => {
  await text('aggregate create row --zone hot --property ssd=true')
  await text(`aggregate add host row ${node}`)
  expect(await json('aggregate show row')).toMatchObject({ availability_zone: 'hot', hosts: [node] })
  const zones = await json('availability zone list --compute')
  expect(zones.map((each: Record<string, string>) => each['Zone Name'])).toEqual(['berlin', 'hot'])
  await text(`aggregate remove host row ${node}`)
  await text('aggregate delete row')
  expect(await json('aggregate list')).toEqual([])
}, 180_000)
