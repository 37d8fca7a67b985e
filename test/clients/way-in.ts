import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import type { Client } from '../../contract/api/client.ts'
import { adminPasswordFile } from '../../standalone/keystone.ts'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from '../scenarios/cloud-here.ts'

/** How callers are known: OpenStack's clients must work over each. */
export const strategies = ['noauth', 'http_basic', 'keystone'] as const
export type Strategy = (typeof strategies)[number]

/** A whole cloud with one appliance, and the settings with which OpenStack's clients get in as its administrator. */
export interface WayIn {
  endpoint: string
  /** As `openstack` and openstacksdk read them from the environment. */
  settings: Record<string, string>
  client: Client
  stop(): Promise<void>
}

/** As the cloud's: what hardware is imagined takes no time, and commands have deadlines by the cloud's clock. */
const SPEED = 1
const person = { username: 'admin', password: 'of the first day' }

export async function openWayIn(strategy: Strategy): Promise<WayIn> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-way-in-'))
  const stops = [async () => rmSync(dir, { recursive: true })]
  const stop = async (): Promise<void> => {
    for (const each of stops) await each()
  }
  try {
    const htpasswd = join(dir, 'users')
    writeFileSync(htpasswd, `${person.username}:${hashSync(person.password, 4)}\n`)
    const cloud = await cloudHere({ auth: strategy, ...(strategy === 'http_basic' ? { htpasswd } : {}) })
    stops.unshift(() => cloud.stopAndForget())
    const { settings, credentials } = await keys[strategy](cloud)
    const fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: SPEED, ...credentials })
    stops.unshift(() => fleet.tearDown())
    await fleet.join()
    return { endpoint: cloud.endpoint, settings, client: fleet.client, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Keys {
  settings: Record<string, string>
  credentials: { auth?: typeof person; fetch?: typeof fetch }
}

const keys: Record<Strategy, (cloud: CloudHere) => Promise<Keys>> = {
  noauth: async ({ endpoint }) => ({ settings: { OS_AUTH_TYPE: 'none', OS_ENDPOINT: endpoint }, credentials: {} }),
  http_basic: async ({ endpoint }) => ({
    settings: {
      OS_AUTH_TYPE: 'http_basic',
      OS_ENDPOINT: endpoint,
      OS_USERNAME: person.username,
      OS_PASSWORD: person.password,
    },
    credentials: { auth: person },
  }),
  keystone: async ({ endpoint, dataDir }) => {
    const password = readFileSync(adminPasswordFile(dataDir), 'utf8').trim()
    const settings = {
      OS_AUTH_URL: `${endpoint}/identity`,
      OS_USERNAME: 'admin',
      OS_PASSWORD: password,
      OS_USER_DOMAIN_NAME: 'Default',
      OS_SYSTEM_SCOPE: 'all',
      OS_REGION_NAME: 'RegionOne',
    }
    const token = await systemToken(endpoint, password)
    const withToken: typeof fetch = (url, init) =>
      fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), 'x-auth-token': token } })
    return { settings, credentials: { fetch: withToken } }
  },
}

export async function systemToken(endpoint: string, password: string): Promise<string> {
  const user = { name: 'admin', domain: { id: 'default' }, password }
  const auth = { identity: { methods: ['password'], password: { user } }, scope: { system: { all: true } } }
  const reply = await fetch(`${endpoint}/identity/v3/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth }) })
  const token = reply.headers.get('x-subject-token')
  if (!token) throw new Error(`the identity service gave no token: ${reply.status} ${await reply.text()}`)
  return token
}
