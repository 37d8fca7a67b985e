import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const headers = { 'x-openstack-ironic-api-version': '1.115' }
const dry = async (ident: string, body: unknown) => {
  const path = `/v1/nodes/${ident}/states/provision?dry_run=true`
  const reply = await cloud.request(path, { method: 'PUT', headers, body: JSON.stringify(body) })
  return { status: reply.status, told: (await reply.json()) as Record<string, unknown> }
}
const stored = async (uuid: string) =>
  JSON.stringify(await cloud.platform.table.get({ pk: `node#${uuid}`, sk: 'node' }))

it('a rehearsal tells the plan and the states, and writes nothing', async () => {
  const { appliance } = await withSite(cloud)
  const info = { ipmi_address: '192.0.2.1' }
  const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', driver_info: info, conductor_group: 'berlin' })
  const before = await stored(uuid)
  const { status, told } = await dry(uuid, { target: 'manage' })
  expect(status).toBe(200)
  expect(told).toMatchObject({
    node: uuid,
    states: ['enroll', 'verifying', 'manageable'],
    appliance: 'box-1',
    problem: null,
    steps: [{ interface: 'power', step: 'validate', does: expect.stringMatching(/^Asks the BMC/), waits: false }],
  })
  await cloud.settle()
  expect(await stored(uuid)).toBe(before)
  expect(cloud.sent(appliance)).toEqual([])
})

it('a rehearsed deployment with a config drive stores none', async () => {
  await withSite(cloud)
  const { uuid } = await cloud.client.nodes.create({ driver: 'fake-hardware', conductor_group: 'berlin' })
  const table = cloud.platform.table
  const item = (await table.get({ pk: `node#${uuid}`, sk: 'node' }))!
  const value = {
    ...(item.value as object),
    provision_state: 'available',
    deploy_interface: 'direct',
    instance_info: {
      image_source: 'https://example.org/image?key=s3cret',
      image_os_hash_algo: 'sha256',
      image_os_hash_value: 'a'.repeat(64),
      image_disk_format: 'raw',
    },
  }
  await table.write([{ put: { ...item, value } }])
  const { told } = await dry(uuid, { target: 'active', configdrive: { user_data: 'hello' } })
  expect(told['states']).toEqual(['available', 'deploying', 'wait call-back', 'active'])
  expect(JSON.stringify(told)).toMatch(/Writes the image of its URL \(raw\).*with a config drive/)
  expect(JSON.stringify(told)).not.toMatch(/s3cret/)
  expect(cloud.blobs.size).toBe(0)
})

it('what the state machine refuses is refused as without it, and what would fail says why', async () => {
  const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', driver_info: { ipmi_address: '192.0.2.1' } })
  expect((await dry(uuid, { target: 'active' })).status).toBe(400)
  const { status, told } = await dry(uuid, { target: 'manage' })
  expect(status).toBe(200)
  expect(told).toMatchObject({ appliance: null, problem: expect.stringMatching(/no appliance/) })
})
