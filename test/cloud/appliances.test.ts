import { afterEach, beforeEach, expect, it } from 'vitest'
import { alive, commandsTo, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

let cloud: ControlPlane
let appliance: string
const revoked: string[] = []
beforeEach(async () => {
  cloud = await openControlPlane()
  appliance = (await withSite(cloud)).appliance
  revoked.length = 0
  cloud.platform.identity.revoke = async (uuid) => void revoked.push(uuid)
})
afterEach(() => cloud[Symbol.asyncDispose]())

const { conductors } = { conductors: () => cloud.client.conductors }
const rename = (name: string, value: string) => conductors().patch(name, [{ op: 'replace', path: '/hostname', value }])

it('one that is alive is not deleted, unless by force', async () => {
  await expect(conductors().delete('box-1')).rejects.toMatchObject({
    status: 409,
    message: expect.stringMatching(/box-1 is alive.*force=true/),
  })
  await conductors().delete('box-1', { force: true })
  await expect(conductors().get('box-1')).rejects.toMatchObject({ status: 404 })
  expect(revoked).toEqual([appliance])
})

it('one that is dead is forgotten with its commands, and its name is free again', async () => {
  const { uuid } = await cloud.client.nodes.create({ driver: 'fake-hardware', conductor_group: 'berlin' })
  await cloud.client.nodes.provision(uuid, 'manage')
  await cloud.settle()
  expect(commandsTo(cloud, appliance)).toHaveLength(1)
  cloud.pass(91)
  await conductors().delete('box-1')
  await cloud.settle()
  expect((await cloud.platform.table.query({ pk: `appliance#${appliance}`, limit: 10 })).items).toEqual([])
  // What it says afterwards is nobody's, and changes nothing.
  await alive(cloud, appliance).catch(() => undefined)
  expect(await conductors().list()).toEqual([])
  await withSite(cloud)
  expect((await conductors().list()).map(({ hostname }) => hostname)).toEqual(['box-1'])
  // Its node's operation is given up in time.
  cloud.pass(24 * 3600)
  await cloud.tick()
  expect(await cloud.client.nodes.get(uuid)).toMatchObject({ provision_state: 'enroll' })
})

it('is renamed to what no other is called, also while it says that it is alive', async () => {
  await withSite(cloud, 'berlin', 'box-2')
  await expect(rename('box-1', 'box-2')).rejects.toMatchObject({ status: 409 })
  await expect(rename('box-1', 'a b')).rejects.toMatchObject({ status: 400 })
  await expect(rename('none', 'x')).rejects.toMatchObject({ status: 404 })
  cloud.pass(10)
  const [renamed] = await Promise.all([rename('box-1', 'hall-2'), alive(cloud, appliance)])
  expect(renamed.hostname).toBe('hall-2')
  await expect(conductors().get('box-1')).rejects.toMatchObject({ status: 404 })
  expect(await rename('hall-2', 'hall-2')).toMatchObject({ hostname: 'hall-2' })
})

it('its tag is good as long as its name is', async () => {
  const headers = { 'x-openstack-ironic-api-version': '1.115' }
  const read = async () => (await cloud.request('/v1/conductors/box-1', { headers })).headers.get('etag')!
  const tag = await read()
  cloud.pass(60)
  await alive(cloud, appliance)
  const body = JSON.stringify([{ op: 'replace', path: '/hostname', value: 'box-3' }])
  const patch = (name: string) =>
    cloud.request(`/v1/conductors/${name}`, { method: 'PATCH', headers: { ...headers, 'if-match': tag }, body })
  expect((await patch('box-1')).status).toBe(200)
  expect((await patch('box-3')).status).toBe(412)
})
