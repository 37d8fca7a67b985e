import { afterEach, beforeEach, expect, it } from 'vitest'
import { alive, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const headers = { 'x-openstack-ironic-api-version': '1.115' }
const bulk = async (body: unknown, query = '') => {
  const reply = await cloud.request(`/v1/bulk/provision${query}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  return {
    status: reply.status,
    ...((await reply.json()) as { results: Array<Record<string, unknown>>; more: boolean }),
  }
}
const nodes = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      cloud.client.nodes.create({ driver: 'fake-hardware', name: `n${n}`, conductor_group: 'berlin' }),
    ),
  )

it('a verb for many nodes is as many verbs, each with its own result, and no more than were asked for', async () => {
  await withSite(cloud)
  const made = await nodes(5)
  const { results, more } = await bulk({ filter: { conductor_group: 'berlin' }, target: 'manage', limit: 3 })
  expect(results.map(({ status }) => status)).toEqual([202, 202, 202])
  expect(more).toBe(true)
  const states = await Promise.all(made.map(async ({ uuid }) => (await cloud.client.nodes.get(uuid)).provision_state))
  expect(states.filter((state) => state === 'verifying')).toHaveLength(3)
  await cloud.settle()
  const again = await bulk({ filter: { conductor_group: 'berlin' }, target: 'manage', limit: 10 })
  expect(again.results.map(({ status }) => status).toSorted((a, b) => Number(a) - Number(b))).toEqual([
    202, 202, 409, 409, 409,
  ])
  expect(again.results.find(({ status }) => status === 409)).toMatchObject({ error: expect.stringMatching(/locked/) })
  expect(again.more).toBe(false)
})

it('a rehearsal of many writes nothing; no filter and no limit are refused', async () => {
  await withSite(cloud)
  await nodes(2)
  const { results } = await bulk(
    { filter: { provision_state: 'enroll' }, target: 'manage', limit: 10 },
    '?dry_run=true',
  )
  expect(results).toMatchObject([{ status: 200, plan: { states: ['enroll', 'verifying', 'manageable'] } }, {}])
  expect((await cloud.client.nodes.list({ provision_state: 'enroll' })).length).toBe(2)
  expect((await bulk({ filter: {}, target: 'manage', limit: 1 })).status).toBe(400)
  expect((await bulk({ filter: { driver: 'ipmi' }, target: 'manage' })).status).toBe(400)
  expect((await bulk({ filter: { driver: 'ipmi' }, target: 'manage', limit: 201 })).status).toBe(400)
})

it('why tells how far the command came, and who was last heard of when', async () => {
  const { appliance } = await withSite(cloud)
  const uuid = (await nodes(1))[0]!.uuid
  expect((await cloud.client.nodes.why(uuid)).reason).toMatch(/Nothing is asked of it/)
  await cloud.client.nodes.provision(uuid, 'manage')
  await cloud.settle()
  expect(await cloud.client.nodes.why(uuid)).toMatchObject({
    command: { acknowledged: false, sent_at: expect.any(String) },
    appliance: { name: 'box-1', alive: true },
    reason: expect.stringMatching(/on its way to box-1/),
  })
  await alive(cloud, appliance, { commands_through: 1 })
  expect((await cloud.client.nodes.why('n0')).reason).toMatch(/box-1 has the command/)
  cloud.pass(120)
  expect((await cloud.client.nodes.why(uuid)).reason).toMatch(/command waits for box-1, which has not been heard of/)
})
