import { randomUUID, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectAsync } from 'mqtt'
import type { Appliance } from '../../contract/resources.ts'
import { topics } from '../../contract/topics.ts'
import { applianceItem } from '../../lambdas/store/appliances.ts'
import { openGround, type Ground } from '../../standalone/ground.ts'
import { consumeUplinks } from '../../standalone/uplinks.ts'
import { listen } from '../../standalone/http.ts'
import { SqliteQueue } from '../../standalone/queue.ts'
import { newRequest } from './certificate-request.ts'
import { platformContract, type PlatformUnderTest, type Site } from './platform.ts'
import { freshKey, item } from './under-test.ts'

const clock = { now: () => new Date() }
const ids = { uuid: randomUUID, token: (bytes: number) => randomBytes(bytes).toString('base64url') }
const log = { info() {}, warn() {}, error() {} }

async function openStandalone(dataDir: string): Promise<PlatformUnderTest> {
  let port = 0
  const ground = await openGround({
    dataDir,
    clock,
    ids,
    log,
    broker: { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' },
    names: ['127.0.0.1'],
    publicUrl: () => `http://127.0.0.1:${port}`,
  })
  const http = await listen({ fetch: ground.blobRoutes.fetch, host: '127.0.0.1', port: 0 })
  port = http.port
  const queue = new SqliteQueue({ database: ground.table.database, name: 'test', clock, log })
  const stops = new Set<() => Promise<void>>()
  const stoppable = (stop: () => Promise<void>): Promise<() => Promise<void>> => {
    stops.add(stop)
    return Promise.resolve(stop)
  }
  return {
    platform: ground.platform,
    queue,
    subscribe: (handler) => stoppable(ground.table.subscribe(`test ${randomUUID()}`, handler)),
    consume: (handler) => stoppable(queue.consume(handler)),
    uplinks: (handler) => {
      const each = async (appliance: string, payloads: string[]) => {
        for (const payload of payloads) await handler(appliance, payload)
      }
      return stoppable(consumeUplinks(ground.reports, each, log))
    },
    join: (appliance) => joined(ground, appliance),
    brokerAuthority: ground.authority.pem,
    close: async () => {
      for (const stop of stops) await stop()
      await http.close()
      await ground.close()
    },
  }
}

async function joined(ground: Ground, uuid: string): Promise<Site> {
  const { csr, privateKey } = await newRequest()
  const enrolment = await ground.platform.identity.issue(uuid, csr, 365)
  const appliance: Appliance = {
    uuid,
    name: uuid,
    site: 'test',
    sealing_key: randomBytes(32).toString('base64'),
    certificate_sha256: enrolment.certificate_sha256,
    software: null,
    created_at: new Date().toISOString(),
    last_seen: null,
    version: 1,
  }
  await ground.table.write([{ put: applianceItem(appliance) }])
  const client = await connectAsync(enrolment.broker, {
    clientId: uuid,
    key: privateKey,
    cert: enrolment.certificate,
    ca: enrolment.authorities,
    reconnectPeriod: 0,
  })
  const gone = new Promise<never>((_, reject) => {
    client.once('close', () => reject(new Error('the broker closed the connection')))
  })
  gone.catch(() => undefined)
  client.on('error', () => {}) // of a connection that was ended in the midst of a packet: `gone` tells
  const received: string[] = []
  client.on('message', (_, payload) => received.push(payload.toString()))
  await client.subscribeAsync(topics.down(uuid), { qos: 1 })
  return {
    received,
    publish: async (payload) => {
      await Promise.race([client.publishAsync(topics.up(uuid), payload, { qos: 1 }), gone])
    },
    close: () => client.endAsync(true),
  }
}

platformContract('standalone', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bloomery-contract-'))
  const made = await openStandalone(dir)
  return {
    ...made,
    close: async () => {
      await made.close()
      await rm(dir, { recursive: true })
    },
  }
})

describe('standalone: restart', () => {
  it('keeps the table, the feed, the queue, blobs and identities', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bloomery-restart-'))
    const [pk, body] = [freshKey(), randomUUID()]
    const first = await openStandalone(dir)
    await first.platform.table.write([{ put: item(pk, 'a') }])
    await first.queue.send(body)
    await first.platform.blobs.put('k', Buffer.from('kept'))
    const { authorities } = await first.platform.identity.issue(randomUUID(), (await newRequest()).csr, 365)
    await first.close()

    const second = await openStandalone(dir)
    expect(await second.platform.table.get({ pk, sk: 'a' })).toEqual(item(pk, 'a'))
    expect(await second.platform.blobs.get('k')).toEqual(Buffer.from('kept'))
    const again = await second.platform.identity.issue(randomUUID(), (await newRequest()).csr, 365)
    expect(again.authorities).toBe(authorities)
    const seen: string[] = []
    await second.subscribe(async (changes) => void seen.push(...changes.map(({ key }) => key.pk)))
    const got: string[] = []
    await second.consume(async (bodies) => {
      got.push(...bodies)
      return []
    })
    await expect.poll(() => [seen.includes(pk), got]).toEqual([true, [body]])
    await second.close()
    await rm(dir, { recursive: true })
  })

  it('refuses a data directory that another holds', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bloomery-lock-'))
    const first = await openStandalone(dir)
    await expect(openStandalone(dir)).rejects.toThrow(/in use by another bloomery process/)
    await first.close()
    await (await openStandalone(dir)).close()
    await rm(dir, { recursive: true })
  })
})
