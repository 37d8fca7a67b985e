import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Event } from '../../contract/event.ts'
import { withSite } from './control-plane.ts'
import { cloud, newNode, provision, site } from './one-site.ts'

const headers = { 'x-openstack-ironic-api-version': '1.115' }

async function events(query: string): Promise<Event[]> {
  cloud.pass(3)
  return ((await (await cloud.request(`/v1/events${query}`, { headers })).json()) as { events: Event[] }).events
}

function notice(seq: number, more: Record<string, unknown>): Promise<void> {
  const at = cloud.platform.clock.now().toISOString()
  const report = { id: randomUUID(), seq, at, kind: 'notice', ...more }
  return cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [report] } as never)
}

it('why tells what the site saw of a boot, also where a later report says nothing of it', async () => {
  const node = await newNode()
  await provision(node, 'manage')
  const plan = site.plan(node)
  const boot = [{ at: '2026-11-23T10:11:02.000Z', seen: 'DHCP discover', times: 3 }]
  await site.report(plan, 'running', { boot })
  expect((await cloud.client.nodes.why(node)).operation?.boot).toEqual(boot)
  await site.report(plan, 'running')
  expect((await cloud.client.nodes.why(node)).operation?.boot).toEqual(boot)
})

it("a site's notice is an event; of one of its nodes it is in that node's history too", async () => {
  const node = await newNode()
  const start = cloud.platform.clock.now().toISOString()
  cloud.pass(1)
  await notice(1, { subject: 'boot url', node, text: 'the kernel of a boot that is over was asked for' })
  cloud.pass(1)
  await notice(2, { subject: 'dhcp server', text: 'another DHCP server, 10.20.0.66, was heard' })
  const told = await events(`?after=${start}&kind=site`)
  expect(told).toMatchObject([
    { kind: 'site', severity: 'ERROR', node, node_name: 'n1', site: 'berlin', conductor: 'box-1', webhook: null },
    { kind: 'site', severity: 'ERROR', node: null, node_name: null, site: 'berlin', conductor: 'box-1' },
  ])
  expect(told.map(({ text }) => text)).toEqual([
    'the kernel of a boot that is over was asked for',
    'another DHCP server, 10.20.0.66, was heard',
  ])
  const history = await cloud.client.nodes.history(node)
  expect(history.map(({ event }) => event)).toContain('the kernel of a boot that is over was asked for')
})

it("a notice about another site's node is the site's own, and touches nobody's history", async () => {
  await withSite(cloud, 'paris', 'box-2')
  const elsewhere = await cloud.client.nodes.create({ name: 'far', driver: 'fake-hardware', conductor_group: 'paris' })
  const start = cloud.platform.clock.now().toISOString()
  cloud.pass(1)
  await notice(1, { subject: 'boot url', node: elsewhere.uuid, text: 'made up' })
  expect(await events(`?after=${start}&kind=site`)).toMatchObject([{ node: null, text: 'made up', site: 'berlin' }])
  expect(await cloud.client.nodes.history(elsewhere.uuid)).toEqual([])
})
