import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { realClock, type Clock } from '../clock.ts'
import { createLog } from '../log.ts'
import { IronicClient, isOlder } from './client.ts'
import { lookUp, TokenTaken } from './lookup.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const found = (agent_token: string) => ({ node: { uuid: node }, config: { heartbeat_timeout: 60, agent_token } })

/** Answers lookups with each reply in turn, the last for ever. */
async function api(replies: [number, unknown][], version = '1.104') {
  const asked: { url: string; version: unknown }[] = []
  const server = createServer((request, response) => {
    if (request.url === '/') return response.end(JSON.stringify({ default_version: { version } }))
    asked.push({ url: request.url ?? '', version: request.headers['x-openstack-ironic-api-version'] })
    const [status, body] = replies[Math.min(asked.length, replies.length) - 1] ?? [500, '']
    return response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Time passes only by sleeping. */
function patience() {
  const sleeps: number[] = []
  let now = 0
  const clock: Clock = {
    ...realClock,
    now: () => now,
    random: () => 0.5,
    sleep(milliseconds) {
      sleeps.push(milliseconds / 1000)
      now += milliseconds
      return Promise.resolve()
    },
  }
  return { sleeps, clock }
}

function lookUpAt(apiUrls: string[], clock: Clock, token?: string) {
  return lookUp({
    client: new IronicClient({}, 5),
    clock,
    log: createLog(
      () => undefined,
      () => 0,
    ),
    apiUrls,
    addresses: () => Promise.resolve(['52:54:00:aa:00:01', '52:54:00:aa:00:02']),
    token,
    seconds: 600,
    interval: 1,
  })
}

it('asks by all its addresses, at the version that both know, until it is known', async () => {
  const { url, asked } = await api([
    [404, ''],
    [200, 'not JSON'],
    [503, ''],
    [200, found('t'.repeat(43))],
  ])
  const { clock, sleeps } = patience()
  const { reply, token } = await lookUpAt([url], clock)
  expect(reply.node.uuid).toBe(node)
  expect(token).toBe('t'.repeat(43))
  expect(sleeps).toEqual([1, 2, 4])
  expect(asked[0]).toEqual({ url: '/v1/lookup?addresses=52:54:00:aa:00:01,52:54:00:aa:00:02', version: '1.62' })
})

it('leaves a locked node alone for longer each time', async () => {
  const { url } = await api([
    [409, ''],
    [409, ''],
    [409, ''],
    [200, found('t'.repeat(43))],
  ])
  const { clock, sleeps } = patience()
  await lookUpAt([url], clock)
  expect(sleeps).toEqual([1 + 5, 2 + 10, 4 + 30])
})

it('gives up at its deadline and says what failed last', async () => {
  const { url } = await api([[404, '{"error_message": "nobody"}']])
  const { clock } = patience()
  const error = await lookUpAt([url], clock).catch((error: unknown) => error)
  expect(error).toMatchObject({ message: expect.stringContaining('within 600 s') as string })
  expect((error as Error).cause).toMatchObject({ status: 404 })
  expect(clock.now()).toBeLessThanOrEqual(600_000)
})

it('takes the next API of the list when one does not answer', async () => {
  const { url } = await api([[200, found('t'.repeat(43))]])
  const { api: chosen } = await lookUpAt(['http://127.0.0.1:9', url], patience().clock)
  expect(chosen).toMatchObject({ base: url, takesCertificate: true })
})

it('does not act for a node whose token somebody else was given, unless it has the token already', async () => {
  const { url } = await api([[200, found('******')]])
  await expect(lookUpAt([url], patience().clock)).rejects.toBeInstanceOf(TokenTaken)
  expect((await lookUpAt([url], patience().clock, 'p'.repeat(40))).token).toBe('p'.repeat(40))
})

it('refuses a server that is too old, and a token that is too short', async () => {
  const old = await api([[200, found('t'.repeat(43))]], '1.30')
  await expect(lookUpAt([old.url], patience().clock)).rejects.toThrow('within 600 s')
  const weak = await api([[200, found('short')]])
  await expect(lookUpAt([weak.url], patience().clock)).rejects.toThrow('within 600 s')
})

it('compares versions by number', () => {
  expect(isOlder('1.9', '1.31')).toBe(true)
  expect(isOlder('1.104', '1.68')).toBe(false)
  expect(isOlder('1.68', '1.68')).toBe(false)
})
