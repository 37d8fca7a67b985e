import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setImmediate as breath } from 'node:timers/promises'
import { createClient, type Client } from '../../contract/api/client.ts'
import { type ConductorOptions, defaultOptions } from '../../contract/conductor-options.ts'
import { type Command, downlink, type Downlink } from '../../contract/messages.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { createApi } from '../../lambdas/app.ts'
import type { ApiConfig } from '../../lambdas/api/config.ts'
import { onChange } from '../../lambdas/conductor/on-change.ts'
import { tick } from '../../lambdas/periodic/tick.ts'
import type { Blobs, Log, Platform } from '../../lambdas/platform.ts'
import { onUplink } from '../../lambdas/reports/on-uplink.ts'
import type { WebhookConfig } from '../../lambdas/webhooks/config.ts'
import { openTable } from '../../standalone/table.ts'

/** The cloud's code on a real table with its real change feed, with a clock that tests move and the messages to sites in a list. */
export interface ControlPlane extends AsyncDisposable {
  platform: Platform
  client: Client
  /** A plain request, for what the client would not send. */
  request(path: string, init?: RequestInit): Promise<Response>
  blobs: Map<string, Uint8Array>
  /** What was published to each appliance. */
  sent(appliance: string): Downlink[]
  logged: Array<Record<string, unknown>>
  /** Webhooks whose courier was woken, and by nobody looked after yet. */
  woken: Set<string>
  pass(seconds: number): void
  /** Waits until the conductor has reacted to every change. */
  settle(): Promise<void>
  tick(): Promise<void>
  uplink(appliance: string, message: unknown): Promise<void>
}

export const PUBLIC = 'http://cloud.test'
/** Webhooks may go to receivers of tests. */
export const WEBHOOKS: WebhookConfig = { key: 'k'.repeat(43), networks: ['127.0.0.0/8'], http: true }

export async function openControlPlane(
  auth: ApiConfig['auth'] = { strategy: 'noauth' },
  options: Partial<ConductorOptions> = {},
): Promise<ControlPlane> {
  let now = Date.parse('2026-11-23T10:00:00.000Z')
  const clock = { now: () => new Date(now) }
  const table = openTable({ path: ':memory:', clock, patience: { tries: 3, pauseMs: 1 } })
  const blobs = new Map<string, Uint8Array>()
  const published = new Map<string, Downlink[]>()
  const logged: Array<Record<string, unknown>> = []
  const woken = new Set<string>()
  const platform: Platform = {
    table,
    clock,
    // Nothing happens here while a request waits.
    options: { ...defaultOptions, node_locked_retry_attempts: 0, ...options },
    blobs: memoryBlobs(blobs),
    bus: {
      async publish(topic, payload) {
        const appliance = topic.split('/')[2] as string
        published.set(appliance, [...(published.get(appliance) ?? []), downlink.parse(JSON.parse(payload))])
      },
    },
    identity: {
      issue: async (appliance, csr, days) => ({
        certificate: `certificate of ${appliance}`,
        authorities: 'authorities',
        broker: 'mqtts://cloud.test:8883',
        certificate_sha256: createHash('sha256')
          .update(appliance + csr)
          .digest('hex'),
        issued_at: new Date(now).toISOString(),
        expires_at: new Date(new Date(now).getTime() + days * 86_400_000).toISOString(),
      }),
      revoke: async () => {},
      retire: async () => {},
    },
    couriers: {
      async wake(webhook) {
        woken.add(webhook)
      },
    },
    ids: { uuid: () => randomUUID(), token: (bytes) => randomBytes(bytes).toString('base64url') },
    log: recorder(logged),
  }
  const api = createApi(platform, { publicEndpoint: PUBLIC, auth, webhooks: WEBHOOKS })
  const request = async (path: string, init?: RequestInit): Promise<Response> => api.request(PUBLIC + path, init)
  const stop = table.subscribe('conductor', (changes) => onChange(platform, changes))
  const pending = table.database.sql.prepare('SELECT count(*) AS n FROM feed')
  const settle = async (): Promise<void> => {
    const deadline = Date.now() + 5000
    while ((pending.get() as { n: number }).n > 0) {
      if (Date.now() > deadline) throw new Error('the conductor did not come to rest within 5 s')
      await breath()
    }
  }
  return {
    platform,
    request,
    blobs,
    logged,
    woken,
    settle,
    client: createClient({
      endpoint: PUBLIC,
      fetch: (async (url: string, init: RequestInit) => api.request(url, init)) as typeof fetch,
    }),
    sent: (appliance) => published.get(appliance) ?? [],
    pass: (seconds) => {
      now += seconds * 1000
    },
    tick: async () => {
      await tick(platform)
      await settle()
    },
    uplink: async (appliance, message) => {
      await onUplink(platform, appliance, JSON.stringify(message))
      await settle()
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      table.close()
    },
  }
}

/** All commands that were ever sent to an appliance, repeated ones too. */
export function commandsTo(cloud: ControlPlane, appliance: string): Command[] {
  return cloud.sent(appliance).flatMap((message) => (message.kind === 'commands' ? message.commands : []))
}

/** A site with one appliance that was heard of just now. */
export async function withSite(cloud: ControlPlane, site = 'berlin', name = 'box-1') {
  if (!(await cloud.client.sites.list()).some((each) => each.name === site)) await cloud.client.sites.create(site)
  const { token } = await cloud.client.sites.createToken(site)
  const key = newSealingKey()
  const { appliance } = await cloud.client.enrol({ token, name, csr: 'a request', sealing_key: key.publicKey })
  await alive(cloud, appliance)
  return { appliance, key, token }
}

export function alive(cloud: ControlPlane, appliance: string, more: Record<string, unknown> = {}): Promise<void> {
  const at = cloud.platform.clock.now().toISOString()
  const message = { v: 1, kind: 'alive', at, software: 'test', commands_through: 0, hello: false, refresh: [] }
  return cloud.uplink(appliance, { ...message, ...more })
}

export function memoryBlobs(stored: Map<string, Uint8Array>): Blobs {
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  return {
    async put(key, bytes) {
      stored.set(key, bytes)
    },
    get: async (key) => stored.get(key),
    stream: async (key) => {
      const bytes = stored.get(key)
      return bytes && Readable.from([bytes])
    },
    head: async (key) => {
      const bytes = stored.get(key)
      return bytes && { size: bytes.length, sha256: digest(bytes) }
    },
    async delete(key) {
      stored.delete(key)
    },
    signGet: async (key, seconds) => `https://blobs.test/${key}?for=${seconds}`,
    signPut: async (key) => ({ url: `https://blobs.test/${key}`, headers: {} }),
  }
}

function recorder(lines: Array<Record<string, unknown>>): Log {
  const note = (level: string) => (facts: Record<string, unknown>, message: string) => {
    lines.push({ level, message, ...facts })
  }
  return { info: note('info'), warn: note('warn'), error: note('error') }
}
