import { join } from 'node:path'
import type { Hono } from 'hono'
import { type ConductorOptions, defaultOptions } from '../contract/conductor-options.ts'
import { isOfConcern } from '../lambdas/conductor/concern.ts'
import type { Bus, Clock, Ids, Log, Platform } from '../lambdas/platform.ts'
import type { WebhookConfig } from '../lambdas/webhooks/config.ts'
import { blobRoutes } from './blob-routes.ts'
import { FileBlobs } from './blobs.ts'
import { Broker } from './broker.ts'
import { cannotListen } from './cannot-listen.ts'
import { makeDataDir } from './data-dir.ts'
import type { Database } from './database.ts'
import { OwnIdentity, openAuthority, type Authority } from './identity.ts'
import { lockDirectory } from './lock.ts'
import { LocalCouriers } from './couriers.ts'
import { Membership } from './membership.ts'
import { SqliteQueue } from './queue.ts'
import { secretFile } from './secret-file.ts'
import { openTable, type SqliteTable } from './table.ts'
import { queueUplink } from './uplinks.ts'

export interface GroundOptions {
  dataDir: string
  clock: Clock
  ids: Ids
  log: Log
  /** Where the broker listens, and the name or address that sites know it by. */
  broker: { host: string; port: number; publicHost: string }
  /** Names and addresses for certificates of servers. */
  names: string[]
  /** Where webhooks may go. */
  webhooks?: Omit<WebhookConfig, 'key'>
  /** What the operator decided; nothing, and Ironic's defaults hold. */
  conductor?: ConductorOptions
  /** Where the HTTP server is reached, asked when a URL is signed. */
  publicUrl: () => string
}

/** What the cloud's code stands on: the platform, and the parts of it that only a composition needs. */
export interface Ground {
  platform: Platform
  webhooks: WebhookConfig
  table: SqliteTable
  /** What appliances published, for `consumeUplinks`. */
  reports: SqliteQueue
  blobs: FileBlobs
  blobRoutes: Hono
  authority: Authority
  serverCertificate: { key: string; cert: string }
  brokerUrl: string
  close(): Promise<void>
}

export async function openGround(options: GroundOptions): Promise<Ground> {
  const { dataDir, clock, ids, log } = options
  await makeDataDir(dataDir)
  const unlock = lockDirectory(dataDir)
  const table = openTable({ path: join(dataDir, 'bloomery.sqlite'), clock, log, tells: isOfConcern })
  const { database } = table
  const reports = new SqliteQueue({ database, name: 'reports', clock, log })
  const secret = Buffer.from(await secretFile(join(dataDir, 'blob-secret'), 'hex'), 'hex')
  const blobs = new FileBlobs({ dir: join(dataDir, 'blobs'), database, clock, secret, publicUrl: options.publicUrl })
  await blobs.prepare()
  const authority = await openAuthority(join(dataDir, 'authority'), clock)
  const serverCertificate = await authority.server(options.names)
  const membership = new Membership(table)
  const broker = await Broker.create({
    ...serverCertificate,
    authority: authority.pem,
    membership,
    onUp: (appliance, payload) => queueUplink(reports, appliance, payload),
    log,
  })
  let couriers: LocalCouriers | undefined
  const close = async (): Promise<void> => {
    await couriers?.stop()
    await broker.close()
    table.close()
    unlock()
  }
  const port = await broker.listen(options.broker.host, options.broker.port).catch(async (error: unknown) => {
    await close()
    throw cannotListen('MQTT broker', options.broker, error)
  })
  const brokerUrl = `mqtts://${options.broker.publicHost}:${port}`
  const identity = new OwnIdentity(authority, membership, () => brokerUrl)
  const own = {
    table,
    blobs,
    bus: durably(database, broker),
    identity,
    options: options.conductor ?? defaultOptions,
    clock,
    ids,
    log,
  }
  const webhooks = {
    networks: [],
    http: false,
    ...options.webhooks,
    key: await secretFile(join(dataDir, 'webhook-key'), 'base64url'),
  }
  couriers = new LocalCouriers(own, webhooks)
  return {
    webhooks,
    platform: { ...own, couriers },
    table,
    reports,
    blobs,
    blobRoutes: blobRoutes(blobs, secret, clock, log),
    authority,
    serverCertificate,
    brokerUrl,
    close,
  }
}

/** What a message tells of is on disk before it is sent. */
function durably(database: Database, bus: Bus): Bus {
  return {
    async publish(topic, payload) {
      await database.durable()
      await bus.publish(topic, payload)
    },
  }
}
