import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Client } from '../../contract/api/client.ts'
import { createClient } from '../../contract/api/client.ts'
import type { Event } from '../../contract/event.ts'
import { serve, type Served } from './bloomery-process.ts'
import { connectByHand, enrol } from './hand-made-appliance.ts'

/** The real program, killed and started again, and receivers that fail, are slow, and come back. */

const patience = { timeout: 60_000, interval: 100 }
const reach = ['--webhook-networks', '127.0.0.0/8', '--webhook-http']

interface Received {
  at: number
  headers: IncomingHttpHeaders
  body: string
  event: Event
}

class Receiver {
  readonly received: Received[] = []
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(204).end()
  #server: Server | undefined
  #port = 0

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        const { data } = JSON.parse(body) as { data: Event }
        this.received.push({ at: Date.now(), headers: request.headers, body, event: data })
        this.answer(response)
      })
    }).listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
}

let dir: string
let cloud: Served
let client: Client
const receivers: Receiver[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bloomery-webhooks-'))
  await start()
  await client.sites.create('berlin')
  const appliance = await connectByHand(cloud, await enrol(cloud, 'berlin', 'rack-7'))
  await appliance.alive(true)
  await appliance.close()
})
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((each) => each.stop()))
  await cloud.kill('SIGKILL')
  await rm(dir, { recursive: true })
})

async function start(): Promise<void> {
  cloud = await serve(join(dir, 'data'), ...reach)
  client = createClient({ endpoint: cloud.endpoint })
}
async function receiver(): Promise<Receiver> {
  const made = new Receiver()
  receivers.push(made)
  await made.start()
  return made
}
async function happening(name: string): Promise<void> {
  await client.nodes.create({ driver: 'fake-hardware', name, conductor_group: 'berlin' })
  await client.nodes.provision(name, 'manage')
}
const names = ({ received }: Receiver) => received.map(({ event }) => event.node_name)

it('a delivery is verified by what docs/events.md tells receivers to do', async () => {
  const there = await receiver()
  const { secret } = await client.webhooks.create({ name: 'mine', url: there.url })
  await happening('a')
  await expect.poll(() => there.received.length, patience).toBe(1)
  const page = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
  const file = join(dir, 'verify.mjs')
  await writeFile(file, code)
  const { verify } = (await import(pathToFileURL(file).href)) as {
    verify: (headers: IncomingHttpHeaders, body: string, secret: string) => boolean
  }
  const { headers, body } = there.received[0]!
  expect(verify(headers, body, secret)).toBe(true)
  expect(verify(headers, `${body} `, secret)).toBe(false)
  expect(verify(headers, body, `whsec_${'A'.repeat(43)}=`)).toBe(false)
  expect(verify({ ...headers, 'webhook-timestamp': '1700000000' }, body, secret)).toBe(false)
})

it('a receiver that hangs delays no other; one that is away gets everything when it is back, the cloud being killed meanwhile', async () => {
  const [hanging, away, well] = [await receiver(), await receiver(), await receiver()]
  hanging.answer = () => {}
  await away.stop()
  for (const [name, { url }] of Object.entries({ hanging, away, well })) await client.webhooks.create({ name, url })
  await happening('a')
  await happening('b')
  await expect.poll(() => new Set(names(well)), patience).toEqual(new Set(['a', 'b']))
  // What was taken and not yet noted as taken would come twice.
  const noted = async () => Date.parse((await client.webhooks.get('well')).status?.last_success_at ?? '')
  await expect.poll(noted, patience).toBeGreaterThanOrEqual(well.received.at(-1)!.at)
  await expect.poll(() => hanging.received.length, patience).toBeGreaterThan(0)
  await expect
    .poll(async () => (await client.webhooks.get('away')).status?.last_error, patience)
    .toMatch(/ECONNREFUSED/)

  await cloud.kill('SIGKILL')
  hanging.answer = (response) => void response.writeHead(204).end()
  await away.start()
  await start()
  await expect.poll(() => new Set(names(away)), patience).toEqual(new Set(['a', 'b']))
  // What was on its way to the one that hung when the cloud was killed comes again, under the same id.
  const ids = () => hanging.received.map(({ headers }) => headers['webhook-id'])
  await expect.poll(() => ids().length - new Set(ids()).size, patience).toBeGreaterThan(0)
  expect(names(well)).toHaveLength(2)
})

it('where the cloud may not go nothing is sent, and the webhook says so', async () => {
  await cloud.kill('SIGTERM')
  const there = await receiver()
  cloud = await serve(join(dir, 'data'), ...reach)
  client = createClient({ endpoint: cloud.endpoint })
  await client.webhooks.create({ name: 'mine', url: there.url.replace('127.0.0.1', 'localhost') })
  await cloud.kill('SIGTERM')
  cloud = await serve(join(dir, 'data'), '--webhook-http')
  client = createClient({ endpoint: cloud.endpoint })
  await happening('a')
  const why = async () => (await client.webhooks.get('mine')).status?.last_error
  await expect.poll(why, patience).toMatch(/^localhost is at .* which the cloud may not reach$/)
  expect(there.received).toEqual([])
  await expect(client.webhooks.create({ name: 'other', url: there.url })).rejects.toThrow(/not a public address/)
})
