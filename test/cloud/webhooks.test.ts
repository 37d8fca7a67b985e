import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Event } from '../../contract/event.ts'
import { addressGuard } from '../../lambdas/webhooks/address-guard.ts'
import { type Courier, deliver, type Next } from '../../lambdas/webhooks/deliver.ts'
import type { Answer } from '../../lambdas/webhooks/post.ts'
import { secretBox } from '../../lambdas/webhooks/secret-box.ts'
import { alive, type ControlPlane, openControlPlane, WEBHOOKS, withSite } from './control-plane.ts'

let cloud: ControlPlane
let courier: Courier
let appliance: string
/** What the receiver was sent: the event of each attempt. */
let got: Array<{ id: string; event: Event; url: string }>
let answer: (event: Event) => Answer | Promise<Answer>
beforeEach(async () => {
  cloud = await openControlPlane()
  appliance = (await withSite(cloud)).appliance
  got = []
  answer = () => ({ taken: true })
  courier = {
    ...cloud.platform,
    box: secretBox(WEBHOOKS.key),
    random: () => 1,
    send: async (url, { headers, body }) => {
      const { data } = JSON.parse(body) as { data: Event }
      got.push({ id: headers['webhook-id']!, event: data, url })
      return answer(data)
    },
  }
})
afterEach(() => cloud[Symbol.asyncDispose]())

const headers = { 'x-openstack-ironic-api-version': '1.115' }
const SECRET = 'a secret of 24 letters at least'
const failed: Answer = { taken: false, why: 'HTTP 500' }

async function ask(method: string, path: string, body?: unknown) {
  const reply = await cloud.request(`/v1/webhooks${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
}
async function hook(more: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await ask('POST', '', {
    name: 'mine',
    url: 'https://hooks.example/',
    secret: SECRET,
    ...more,
  })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.uuid
}
/** One event each: enroll to verifying. */
async function happening(name: string): Promise<string> {
  const { uuid } = await cloud.client.nodes.create({ driver: 'fake-hardware', name, conductor_group: 'berlin' })
  await cloud.client.nodes.provision(uuid, 'manage')
  await cloud.settle()
  return uuid
}
/** Couriers that were woken do what they can now. */
async function work(): Promise<Map<string, Next>> {
  const woken = [...cloud.woken]
  cloud.woken.clear()
  const until = new Date(cloud.platform.clock.now().getTime() + 1)
  return new Map(await Promise.all(woken.map(async (each) => [each, await deliver(courier, each, until)] as const)))
}
/** Their site says nothing of them: a second event each, verifying to enroll. */
async function timeOut(): Promise<void> {
  cloud.pass(3600)
  await alive(cloud, appliance)
  await cloud.tick()
}
async function timer(seconds: number): Promise<void> {
  cloud.pass(seconds)
  await cloud.tick()
  await work()
}

describe('a webhook', () => {
  it('is made, shown without its secret, changed, deleted with all that waits', async () => {
    const uuid = await hook({ filter: { states: ['active'] } })
    const one = await ask('GET', '/mine')
    expect(one.body).toMatchObject({
      uuid,
      url: 'https://hooks.example/',
      secret: '******',
      enabled: true,
      filter: { kinds: null, sites: null, nodes: null, states: ['active'] },
      status: { failing_since: null, last_success_at: null },
    })
    expect((await ask('GET', '')).body.webhooks).toMatchObject([{ uuid, name: 'mine' }])
    const stored = await cloud.platform.table.get({ pk: `webhook#${uuid}`, sk: 'webhook' })
    expect(JSON.stringify(stored)).not.toContain(SECRET)
    const patched = await ask('PATCH', '/mine', [
      { op: 'replace', path: '/url', value: 'https://other.example/' },
      { op: 'remove', path: '/filter' },
      { op: 'replace', path: '/enabled', value: 'false' },
    ])
    expect(patched.body).toMatchObject({ url: 'https://other.example/', enabled: false, filter: { states: null } })
    expect((await ask('DELETE', '/mine')).status).toBe(204)
    await cloud.settle()
    expect((await cloud.platform.table.query({ pk: `webhook#${uuid}`, limit: 10 })).items).toEqual([])
    expect((await ask('GET', '/mine')).status).toBe(404)
  })

  it('shows a secret that was made for it this once', async () => {
    const made = await ask('POST', '', { name: 'a', url: 'https://hooks.example/' })
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect((await ask('GET', '/a')).body.secret).toBe('******')
  })

  it.each([
    [{ url: 'http://8.8.8.8.example/x#y' }, /fragment/],
    [{ url: 'https://10.0.0.1/' }, /not a public address/],
    [{ url: 'ftp://x.example/' }, /url/],
    [{ secret: 'short' }, /secret/],
    [{ filter: { nodes: ['none'] } }, /Node none could not be found/],
    [{ filter: { kinds: ['all'] } }, /kinds/],
    [{ filter: { colour: ['red'] } }, /colour/],
    [{ name: 'a b' }, /name/],
  ])('is refused with %j', async (more, why) => {
    const { status, body } = await ask('POST', '', {
      name: 'mine',
      url: 'https://hooks.example/',
      secret: SECRET,
      ...more,
    })
    expect(status).toBe(400)
    expect(body.error_message).toMatch(why)
  })

  it('keeps its name for itself, and is changed only as it was read', async () => {
    await hook()
    expect((await ask('POST', '', { name: 'mine', url: 'https://hooks.example/' })).status).toBe(409)
    const tag = (await ask('GET', '/mine')).headers.get('etag')!
    const patch = JSON.stringify([{ op: 'replace', path: '/name', value: 'yours' }])
    const put = (match: string) =>
      cloud.request('/v1/webhooks/mine', { method: 'PATCH', headers: { ...headers, 'if-match': match }, body: patch })
    expect((await put(tag.replace('"1-', '"9-'))).status).toBe(412)
    expect((await put(tag)).status).toBe(200)
  })
})

describe('events', () => {
  it('are delivered as they are in the stream, once', async () => {
    await hook()
    const node = await happening('a')
    await work()
    expect(got).toMatchObject([
      { event: { node, node_name: 'a', from: 'enroll', to: 'verifying', kind: 'provisioning' } },
    ])
    expect(got[0]!.event.id).toContain(got[0]!.id)
    await timer(60)
    expect(got).toHaveLength(1)
    expect((await ask('GET', '/mine')).body.status.last_success_at).not.toBe(null)
  })

  it('go to those who want them', async () => {
    const a = await happening('a')
    await hook({ name: 'of-a', filter: { nodes: ['a'] }, url: 'https://a.example/' })
    await hook({ name: 'of-paris', filter: { sites: ['paris'] }, url: 'https://paris.example/' })
    await hook({ name: 'active', filter: { states: ['active', 'enroll'] }, url: 'https://active.example/' })
    await hook({ name: 'off', enabled: false })
    expect((await ask('GET', '/of-a')).body.filter.nodes).toEqual([a])
    await happening('b')
    await timeOut()
    await work()
    const told = got.map(({ url, event }) => `${new URL(url).hostname} ${event.node_name} ${event.to}`)
    expect(new Set(told)).toEqual(new Set(['a.example a enroll', 'active.example a enroll', 'active.example b enroll']))
  })

  it('of a node wait for one that fails, those of others don’t; after a pause it comes again, and then the rest', async () => {
    await hook()
    await happening('a')
    await happening('b')
    answer = ({ node_name }) => (node_name === 'a' ? failed : { taken: true })
    await work()
    expect(new Set(got.map(({ event }) => event.node_name))).toEqual(new Set(['a', 'b']))
    const [first] = got.filter(({ event }) => event.node_name === 'a')
    answer = () => failed
    await timeOut()
    await work()
    answer = () => ({ taken: true })
    got = []
    await timer(60)
    const ofA = got.filter(({ event }) => event.node_name === 'a')
    expect(ofA.map(({ event }) => event.to)).toEqual(['verifying', 'enroll'])
    expect(ofA[0]!.id).toBe(first!.id)
    expect(got.filter(({ event }) => event.node_name === 'b').map(({ event }) => event.to)).toEqual(['enroll'])
  })

  it('are not sent to a receiver that rests, which is then asked one at a time', async () => {
    await hook()
    for (const name of ['a', 'b', 'c']) await happening(name)
    answer = () => failed
    await work()
    expect(got).toHaveLength(3)
    await work()
    await timer(4)
    expect(got).toHaveLength(3)
    await timer(2)
    expect(got).toHaveLength(4)
    const { status } = (await ask('GET', '/mine')).body
    expect(status).toMatchObject({ last_error: 'HTTP 500', failing_since: '2026-11-23T10:00:00.000Z' })
    answer = () => ({ taken: true })
    await timer(11)
    expect(got).toHaveLength(7)
    expect((await ask('GET', '/mine')).body.status).toMatchObject({ last_error: null, failing_since: null })
  })

  it('come again when their courier died before it could write down that they were taken', async () => {
    await hook()
    await happening('a')
    answer = () => Promise.reject(new Error('killed'))
    await expect(work()).rejects.toThrow('killed')
    answer = () => ({ taken: true })
    await cloud.tick()
    expect([...(await work()).values()]).toEqual([new Date('2026-11-23T10:00:30.000Z')])
    await timer(31)
    expect(got.map(({ id }) => id)).toEqual([got[0]!.id, got[0]!.id])
    await timer(60)
    expect(got).toHaveLength(2)
  })

  it('are delivered by one courier at a time', async () => {
    const uuid = await hook()
    await happening('a')
    let second: Next
    answer = async () => {
      second = await deliver(courier, uuid, cloud.platform.clock.now())
      return { taken: true }
    }
    await work()
    expect(second!).toEqual(new Date('2026-11-23T10:00:30.000Z'))
    expect(got).toHaveLength(1)
  })

  it('are left to the next turn when this one has lasted long enough', async () => {
    const uuid = await hook()
    for (let n = 0; n < 10; n += 1) await happening(`n${n}`)
    const start = cloud.platform.clock.now()
    answer = () => {
      cloud.pass(1)
      return { taken: true }
    }
    const until = new Date(start.getTime() + 1000)
    expect(await deliver(courier, uuid, until)).toEqual(cloud.platform.clock.now())
    expect(got).toHaveLength(8)
    expect(await deliver(courier, uuid, new Date(until.getTime() + 60_000))).toBe(undefined)
    expect(got).toHaveLength(10)
  })

  it('wait when the key of secrets is another one, and the webhook says what to do', async () => {
    await hook()
    await happening('a')
    courier = { ...courier, box: secretBox('another key, which is not the one of before') }
    await work()
    expect((await ask('GET', '/mine')).body.status.last_error).toMatch(/give the webhook its secret anew/)
    await ask('PATCH', '/mine', [{ op: 'replace', path: '/secret', value: SECRET }])
    expect(got).toEqual([])
  })

  it('that are laid in the queue at the last moment are not forgotten', async () => {
    await hook()
    await happening('a')
    answer = async ({ node_name }) => {
      if (node_name === 'a') await happening('b')
      return { taken: true }
    }
    await work()
    expect(got.map(({ event }) => event.node_name)).toEqual(['a', 'b'])
  })
})

describe('what nobody takes', () => {
  it('is given up after a day, kept, and replayed at its place', async () => {
    await hook()
    await happening('a')
    answer = () => failed
    await work()
    await timer(25 * 3600)
    const { failures } = (await ask('GET', '/mine/failures')).body
    expect(failures).toMatchObject([
      { event: { node_name: 'a', to: 'verifying' }, attempts: 2, last_error: 'HTTP 500' },
    ])
    answer = () => ({ taken: true })
    got = []
    expect((await ask('POST', '/mine/failures/replay', { events: ['nonsense'] })).body).toEqual({ replayed: 0 })
    expect((await ask('POST', '/mine/failures/replay')).body).toEqual({ replayed: 1 })
    await timer(3600)
    expect(got.map(({ event }) => event.to)).toContain('verifying')
    expect((await ask('GET', '/mine/failures')).body.failures).toEqual([])
  })

  it('is listed a page at a time', async () => {
    await hook()
    answer = () => ({ ...failed, refused: true })
    for (const name of ['a', 'b', 'c']) await happening(name)
    for (let attempt = 0; attempt < 30; attempt += 1) {
      await work()
      await timer(3600)
    }
    const names: string[] = []
    let path = '/mine/failures?limit=2'
    for (let page = 0; page < 9 && path; page += 1) {
      const { body } = await ask('GET', path)
      names.push(...body.failures.map(({ event }: { event: Event }) => `${event.node_name} ${event.to}`))
      path = body.next ? `/mine/failures${new URL(body.next).search}` : ''
    }
    expect(names.sort()).toEqual(['a verifying', 'b verifying', 'c verifying'])
  })

  it('for three days disables the webhook, with an event; enabled again, it goes on', async () => {
    await hook()
    await happening('a')
    answer = () => failed
    await work()
    await timer(3 * 24 * 3600)
    const off = (await ask('GET', '/mine')).body
    expect(off.enabled).toBe(false)
    expect(off.disabled_reason).toMatch(/taken nothing since 2026-11-23T10:00:00.000Z. Its last answer: HTTP 500/)
    cloud.pass(3)
    const after = new Date(cloud.platform.clock.now().getTime() - 60_000).toISOString()
    const events = async (query: string) =>
      (await (await cloud.request(`/v1/events?${query}`, { headers })).json()) as { events: Event[]; last: string }
    const told = await events(`kind=webhook&after=${after}`)
    expect(told.events).toMatchObject([
      {
        kind: 'webhook',
        severity: 'ERROR',
        node: null,
        webhook: { name: 'mine' },
        text: expect.stringMatching(/was disabled/),
      },
    ])
    expect((await events(`after=${told.last}`)).events).toEqual([])
    answer = () => ({ taken: true })
    got = []
    await timer(3600)
    expect(got).toEqual([])
    await happening('b')
    const patch = [{ op: 'replace', path: '/enabled', value: true }]
    expect((await ask('PATCH', '/mine', patch)).body).toMatchObject({ enabled: true, disabled_reason: null })
    await cloud.settle()
    await work()
    // What came while it was disabled is not for it.
    expect(got.map(({ event }) => event.node_name)).not.toContain('b')
    expect(got.length).toBeGreaterThan(0)
  })

  it('because it is gone disables the webhook at once', async () => {
    await hook()
    await happening('a')
    answer = () => ({ taken: false, why: 'HTTP 410', gone: true })
    await work()
    expect((await ask('GET', '/mine')).body).toMatchObject({
      enabled: false,
      disabled_reason: expect.stringMatching(/410/),
    })
  })
})

it('a webhook may go where the cloud is told that it may, and there only', () => {
  expect(addressGuard(WEBHOOKS.networks).allows('127.0.0.1')).toBe(true)
  expect(addressGuard(WEBHOOKS.networks).allows('10.0.0.1')).toBe(false)
})
