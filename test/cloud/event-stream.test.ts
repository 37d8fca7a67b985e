import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Event } from '../../contract/event.ts'
import { createApi } from '../../lambdas/app.ts'
import { type ControlPlane, openControlPlane, PUBLIC, withSite } from './control-plane.ts'

let cloud: ControlPlane
beforeEach(async () => {
  cloud = await openControlPlane()
  await withSite(cloud)
})
afterEach(() => cloud[Symbol.asyncDispose]())

const headers = { 'x-openstack-ironic-api-version': '1.115' }
const events = async (query = '') => {
  const reply = await cloud.request(`/v1/events${query}`, { headers })
  expect(reply.status).toBe(200)
  return (await reply.json()) as { events: Event[]; last: string }
}
/** Two events of a new node: one of a user, one of its site's failure. */
const happening = async (name: string, site = 'berlin') => {
  const { uuid } = await cloud.client.nodes.create({ driver: 'fake-hardware', name, conductor_group: site })
  await cloud.client.nodes.provision(uuid, 'manage')
  await cloud.settle()
  return uuid
}

it('events come once they have settled, in order, and each only once by the place to go on from', async () => {
  const start = cloud.platform.clock.now().toISOString()
  const first = await happening('a')
  cloud.pass(1)
  const second = await happening('b')
  cloud.pass(2)
  const page = await events(`?after=${start}&limit=1`)
  // What happened in the very instant that was asked for counts as known.
  expect(page.events.map(({ node }) => node)).toEqual([second])
  const earlier = new Date(Date.parse(start) - 1).toISOString()
  const one = await events(`?after=${earlier}&limit=1`)
  expect(one.events).toMatchObject([
    {
      node: first,
      node_name: 'a',
      site: 'berlin',
      from: 'enroll',
      to: 'verifying',
      kind: 'provisioning',
      id: one.last,
    },
  ])
  const two = await events(`?after=${one.last}`)
  expect(two.events.map(({ node }) => node)).toEqual([second])
  expect((await events(`?after=${two.last}`)).events).toEqual([])
})

it('what has just happened is told a moment later, over the turn of an hour too', async () => {
  const { last } = await events()
  cloud.pass(3599)
  await happening('a')
  expect((await events(`?after=${last}`)).events).toEqual([])
  cloud.pass(3)
  expect((await events(`?after=${last}`)).events).toHaveLength(1)
})

it('filters by node, site and kind', async () => {
  const before = new Date(cloud.platform.clock.now().getTime() - 1).toISOString()
  const a = await happening('a')
  await happening('b')
  cloud.pass(3)
  expect((await events(`?after=${before}&node=a`)).events.map(({ node }) => node)).toEqual([a])
  expect((await events(`?after=${before}&site=paris`)).events).toEqual([])
  expect((await events(`?after=${before}&kind=power`)).events).toEqual([])
  expect((await events(`?after=${before}&kind=provisioning`)).events).toHaveLength(2)
})

it('a stream tells the same, and goes on behind Last-Event-ID', async () => {
  const before = new Date(cloud.platform.clock.now().getTime() - 1).toISOString()
  await happening('a')
  await happening('b')
  cloud.pass(3)
  const stream = { ...headers, accept: 'text/event-stream' }
  const listen = async (id: string) =>
    (await cloud.request('/v1/events', { headers: { ...stream, 'last-event-id': id } })).text()
  const text = await listen(before)
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!)
  expect(ids).toHaveLength(2)
  expect(text).toMatch(/^event: provisioning$/m)
  expect([...(await listen(ids[0]!)).matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual([ids[1]])
})

it('where replies may be sent in pieces, a stream stays open for what comes later', async () => {
  const api = createApi(cloud.platform, { publicEndpoint: PUBLIC, auth: { strategy: 'noauth' }, streaming: true })
  const reply = await api.request(`${PUBLIC}/v1/events`, { headers: { ...headers, accept: 'text/event-stream' } })
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toMatch(/^retry/)
  cloud.pass(1)
  await happening('late')
  cloud.pass(3)
  let told = ''
  while (!told.includes('\n\n')) told += (await reader.read()).value ?? ''
  expect(told).toMatch(/"node_name":"late"/)
  await reader.cancel()
})

it('a place that is none, or long gone, is refused', async () => {
  const status = async (after: string) => (await cloud.request(`/v1/events?after=${after}`, { headers })).status
  expect(await status('yesterday')).toBe(400)
  expect(await status('2026-11-01T00:00:00.000Z')).toBe(410)
})
