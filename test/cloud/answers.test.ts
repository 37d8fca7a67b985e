import { randomUUID } from 'node:crypto'
import { beforeEach, expect, it } from 'vitest'
import type { Answer } from '../../contract/answer.ts'
import { withSite } from './control-plane.ts'
import { cloud, newNode, provision, site } from './one-site.ts'

/** Questions whose answer is the reply, with a site on paper. */

let node: string

beforeEach(async () => {
  const driver_info = { redfish_address: 'https://192.0.2.1', redfish_username: 'admin', redfish_password: 'pa55' }
  node = await newNode({ driver: 'redfish', driver_info })
  await provision(node, 'manage')
  await site.carryOut(node)
})

async function ask(method = 'get_all_subscriptions') {
  const reply = await cloud.request(`/v1/nodes/${node}/vendor_passthru?method=${method}`)
  return [reply.status, JSON.stringify(await reply.json())]
}

/** The plan that it becomes, as soon as it is one. */
async function planned(step: string) {
  await expect.poll(() => site.plan(node).steps[0]?.step, { timeout: 30_000 }).toBe(step)
  return site.plan(node)
}

let seq = 1000
function tell(answer: Answer, generation: number, appliance = site.uuid): Promise<void> {
  const at = cloud.platform.clock.now().toISOString()
  seq += 1
  const report = { id: randomUUID(), seq, at, kind: 'answer', node, generation, plan: randomUUID(), answer } as const
  return cloud.uplink(appliance, { v: 1, kind: 'reports', reports: [report] })
}

it('an answer that comes after the end of its plan is the reply, once; that of another site is none', async () => {
  const { appliance: stranger } = await withSite(cloud, 'paris', 'box-9')
  const reply = ask()
  const plan = await planned('get_all_subscriptions')
  await tell({ body: { forged: true } }, plan.generation, stranger)
  await tell({ body: { early: true } }, plan.generation + 1)
  await site.carry(plan)
  await tell({ body: { Members: [] } }, plan.generation)
  expect(await reply).toEqual([200, '{"Members":[]}'])
  expect(await cloud.platform.table.get({ pk: `node#${node}`, sk: 'answer' })).toBeUndefined()
})

it('a question that the site can’t put says why, as the error of its plan', async () => {
  const reply = ask()
  const plan = await planned('get_all_subscriptions')
  await site.report(plan, 'refused', { note: 'vendor.get_all_subscriptions: this appliance does not know the step' })
  const [status, text] = await reply
  expect([status, text]).toEqual([500, expect.stringMatching(/this appliance does not know the step/)])
})

it('of a site that is away nothing is asked', async () => {
  cloud.pass(600)
  const before = site.commands().length
  expect(await ask()).toEqual([503, expect.stringMatching(/Site berlin is away: .* ask again when it is back/)])
  expect(site.commands()).toHaveLength(before)
  expect((await cloud.client.nodes.get(node)).reservation).toBeNull()
})
