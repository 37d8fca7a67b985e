import { randomUUID } from 'node:crypto'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { topics } from '../../contract/topics.ts'
import { applianceItem } from '../../lambdas/store/appliances.ts'
import { Broker } from '../../standalone/broker.ts'
import { OwnIdentity, openAuthority, type Authority } from '../../standalone/identity.ts'
import { Membership } from '../../standalone/membership.ts'
import { newRequest } from './certificate-request.ts'
import { openTable, type SqliteTable } from '../../standalone/table.ts'

const clock = { now: () => new Date() }
const warnings: string[] = []
const log = {
  info() {},
  warn: (_: Record<string, unknown>, message: string) => void warnings.push(message),
  error() {},
}
const clients: MqttClient[] = []
let [dir, port] = ['', 0]
let table: SqliteTable
let authority: Authority
let membership: Membership
let broker: Broker
let up: (appliance: string, payload: string) => Promise<void>

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bloomery-broker-'))
  table = openTable({ path: ':memory:', clock })
  authority = await openAuthority(dir, clock)
  membership = new Membership(table)
  const certificate = await authority.server(['127.0.0.1'])
  const onUp = (appliance: string, payload: string): Promise<void> => up(appliance, payload)
  broker = await Broker.create({ ...certificate, authority: authority.pem, membership, onUp, log })
  port = await broker.listen('127.0.0.1', 0)
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true)
})
afterAll(async () => {
  await broker.close()
  table.close()
  await rm(dir, { recursive: true })
})

async function enrolled(uuid: string): Promise<{ key: string; cert: string }> {
  const { csr, privateKey } = await newRequest()
  const issued = await new OwnIdentity(authority, membership, () => '').issue(uuid, csr, 365)
  const { certificate_sha256 } = issued
  const created_at = new Date().toISOString()
  const value = {
    uuid,
    name: uuid,
    site: 's',
    sealing_key: '',
    software: null,
    last_seen: null,
    created_at,
    version: 1,
  }
  await table.write([{ put: applianceItem({ ...value, certificate_sha256 }) }])
  return { key: privateKey, cert: issued.certificate }
}

async function connect(options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(
    `mqtts://127.0.0.1:${port}`,
    { ca: authority.pem, reconnectPeriod: 0, ...options },
    false,
  )
  client.on('error', () => {}) // a broker that ends the connection in the midst of a packet: `closed` tells
  clients.push(client)
  return client
}

const closed = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', resolve))

describe('the broker', () => {
  it('acknowledges a report only when it was stored', async () => {
    const uuid = randomUUID()
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>()
    let store = (): void => undefined
    up = () => new Promise((resolve) => ((store = resolve), isAsked()))
    const client = await connect({ clientId: uuid, ...(await enrolled(uuid)) })
    let acknowledged = false
    const publishing = client.publishAsync(topics.up(uuid), 'x', { qos: 1 }).then(() => (acknowledged = true))
    await asked
    await sleep(100) // in which an acknowledgement would come
    expect(acknowledged).toBe(false)
    store()
    await publishing
  })

  it('ends the connection without acknowledgement when a report can’t be stored', async () => {
    const uuid = randomUUID()
    up = () => Promise.reject(new Error('disk full'))
    const client = await connect({ clientId: uuid, ...(await enrolled(uuid)) })
    const gone = closed(client)
    client.publish(topics.up(uuid), 'x', { qos: 1 })
    await gone
  })

  it.each([
    ['without a certificate', async () => ({ clientId: randomUUID() })],
    ['under another’s name', async () => ({ clientId: randomUUID(), ...(await enrolled(randomUUID())) })],
    [
      'with a certificate that a newer one replaced',
      async () => {
        const uuid = randomUUID()
        const old = await enrolled(uuid)
        await enrolled(uuid)
        return { clientId: uuid, ...old }
      },
    ],
    [
      'when its certificate was revoked',
      async () => {
        const uuid = randomUUID()
        const own = await enrolled(uuid)
        await membership.revoke(uuid)
        return { clientId: uuid, ...own }
      },
    ],
  ])('refuses an appliance %s', async (_, options) => {
    await expect(connect(await options())).rejects.toThrow()
  })

  it('lets nobody hear or publish what is another’s', async () => {
    const [mine, other] = [randomUUID(), randomUUID()]
    up = () => Promise.reject(new Error('must not be called'))
    const own = await enrolled(mine)
    for (const topic of [topics.down(other), topics.up(mine), topics.everyUp, '#', '$SYS/#', 'bloomery/v1/+/down']) {
      const client = await connect({ clientId: mine, ...own })
      await expect(client.subscribeAsync(topic, { qos: 1 }), topic).rejects.toThrow()
    }
    for (const topic of [topics.up(other), topics.down(mine), 'anything']) {
      const client = await connect({ clientId: mine, ...own })
      const gone = closed(client)
      client.publish(topic, 'x', { qos: 1 })
      await gone
    }
  })

  it('ends a connection that sends more than a message may hold', async () => {
    const uuid = randomUUID()
    up = () => Promise.reject(new Error('must not be called'))
    const client = await connect({ clientId: uuid, ...(await enrolled(uuid)) })
    const gone = closed(client)
    client.publish(topics.up(uuid), Buffer.alloc(70 * 1024), { qos: 1 })
    await gone
    await expect.poll(() => warnings).toContain('connection ended')
  })
})
