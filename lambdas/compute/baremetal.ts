import { createBaremetal } from '../api/app.ts'
import { type Client, createClient } from '../../contract/api/client.ts'
import type { Platform } from '../platform.ts'

/** Nodes, as Nova's driver sees them: by Ironic's API, which is asked here without a network in between. */

const HERE = 'http://baremetal.local'
const clients = new WeakMap<Platform, Client>()

export function baremetalOf(platform: Platform): Client {
  const known = clients.get(platform)
  if (known) return known
  const api = createBaremetal(platform, { publicEndpoint: HERE, auth: { strategy: 'noauth' } })
  const fetchHere = (async (url: string, init: RequestInit) => api.request(url, init)) as typeof fetch
  const client = createClient({ endpoint: HERE, fetch: fetchHere })
  clients.set(platform, client)
  return client
}
