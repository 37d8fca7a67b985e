import type { HistoryEntry, Image, PowerTarget, Site } from '../resources.ts'
import type { Verb } from '../provision.ts'
import type { Why } from '../why.ts'
import { faultText } from './faults.ts'
import type { PatchOperation } from './patch.ts'
import { MAXIMUM, versionHeaders, versionText } from './versions.ts'
import type { ConductorView, DriverView, ImageView, NodeView, PortView, Uploaded } from './views.ts'

/** The API as functions: for the CLI, the console and tests. Runs wherever there is `fetch`. */

/** The API's answer was not a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface ClientOptions {
  endpoint: string
  auth?: { username: string; password: string }
  fetch?: typeof fetch
  /** Of one request. */
  timeoutSeconds?: number
}

export interface ConfigDriveSource {
  meta_data?: Record<string, unknown>
  network_data?: Record<string, unknown>
  user_data?: string | Record<string, unknown>
  vendor_data?: Record<string, unknown>
}

export interface ProvisionOptions {
  configdrive?: string | ConfigDriveSource
  clean_steps?: NamedStep[]
  service_steps?: NamedStep[]
  deploy_steps?: Array<Required<NamedStep> & { priority: number }>
  rescue_password?: string
  disable_ramdisk?: boolean
  runbook?: string
}

export interface NamedStep {
  interface: string
  step: string
  args?: Record<string, unknown>
}

export interface EnrolRequest {
  token: string
  name: string
  csr: string
  sealing_key: string
}

export interface EnrolReply {
  appliance: string
  site: string
  certificate: string
  authorities: string
  broker: string
}

export interface NewImage {
  name: string
  size: number
  sha256: string
  disk_format: 'raw' | 'qcow2'
}

export type Query = Record<string, string | number | boolean | undefined>
type Json = Record<string, unknown>
type Call = <T>(method: string, path: string, options?: { query?: Query; body?: unknown }) => Promise<T>

export type Client = ReturnType<typeof createClient>

export function createClient(options: ClientOptions) {
  const call = caller(options)
  const id = encodeURIComponent
  return {
    root: () => call<Json>('GET', '/'),
    nodes: {
      create: (body: Json) => call<NodeView>('POST', '/v1/nodes', { body }),
      get: (ident: string, query?: Query) => call<NodeView>('GET', `/v1/nodes/${id(ident)}`, { query }),
      list: (query?: Query) => everything<NodeView>(call, '/v1/nodes', 'nodes', query),
      patch: (ident: string, body: PatchOperation[]) => call<NodeView>('PATCH', `/v1/nodes/${id(ident)}`, { body }),
      delete: (ident: string) => call<void>('DELETE', `/v1/nodes/${id(ident)}`),
      states: (ident: string) => call<Partial<NodeView>>('GET', `/v1/nodes/${id(ident)}/states`),
      why: (ident: string) => call<Why>('GET', `/v1/nodes/${id(ident)}/why`),
      validate: (ident: string) => call<Record<string, Validation>>('GET', `/v1/nodes/${id(ident)}/validate`),
      ports: (ident: string) => everything<PortView>(call, `/v1/nodes/${id(ident)}/ports`, 'ports', { detail: true }),
      history: (ident: string) =>
        everything<HistoryEntry>(call, `/v1/nodes/${id(ident)}/history`, 'history', { detail: true }),
      maintenance: (ident: string, reason: string | undefined) =>
        call<void>('PUT', `/v1/nodes/${id(ident)}/maintenance`, { body: { reason } }),
      clearMaintenance: (ident: string) => call<void>('DELETE', `/v1/nodes/${id(ident)}/maintenance`),
      provision: (ident: string, target: Verb, more: ProvisionOptions = {}) =>
        call<void>('PUT', `/v1/nodes/${id(ident)}/states/provision`, { body: { target, ...more } }),
      power: (ident: string, target: PowerTarget, timeout?: number) =>
        call<void>('PUT', `/v1/nodes/${id(ident)}/states/power`, { body: { target, timeout } }),
      bootDevice: (ident: string) =>
        call<{ boot_device: string | null; persistent: boolean | null }>(
          'GET',
          `/v1/nodes/${id(ident)}/management/boot_device`,
        ),
      setBootDevice: (ident: string, body: { boot_device: string; persistent: boolean }) =>
        call<void>('PUT', `/v1/nodes/${id(ident)}/management/boot_device`, { body }),
    },
    ports: {
      create: (body: Json) => call<PortView>('POST', '/v1/ports', { body }),
      get: (ident: string) => call<PortView>('GET', `/v1/ports/${id(ident)}`),
      list: (query?: Query) => everything<PortView>(call, '/v1/ports', 'ports', query),
      patch: (ident: string, body: PatchOperation[]) => call<PortView>('PATCH', `/v1/ports/${id(ident)}`, { body }),
      delete: (ident: string) => call<void>('DELETE', `/v1/ports/${id(ident)}`),
    },
    drivers: {
      list: () => everything<DriverView>(call, '/v1/drivers', 'drivers', { detail: true }),
      properties: (name: string) => call<Record<string, string>>('GET', `/v1/drivers/${id(name)}/properties`),
    },
    conductors: {
      list: () => everything<ConductorView>(call, '/v1/conductors', 'conductors', { detail: true }),
      get: (name: string) => call<ConductorView>('GET', `/v1/conductors/${id(name)}`),
    },
    sites: {
      create: (name: string, description?: string) => call<Site>('POST', '/v1/sites', { body: { name, description } }),
      get: (name: string) => call<Site>('GET', `/v1/sites/${id(name)}`),
      list: () => everything<Site>(call, '/v1/sites', 'sites'),
      createToken: (name: string) =>
        call<{ token: string; expires_at: string }>('POST', `/v1/sites/${id(name)}/tokens`),
    },
    enrol: (body: EnrolRequest) => call<EnrolReply>('POST', '/v1/enrol', { body }),
    images: {
      create: (body: NewImage) => call<Uploaded>('POST', '/v1/images', { body }),
      complete: (ident: string) => call<ImageView>('POST', `/v1/images/${id(ident)}/complete`),
      get: (ident: string) => call<ImageView>('GET', `/v1/images/${id(ident)}`),
      list: () => everything<Image>(call, '/v1/images', 'images'),
      delete: (ident: string) => call<void>('DELETE', `/v1/images/${id(ident)}`),
    },
  }
}

export interface Validation {
  result: boolean | null
  reason?: string
}

function caller({ endpoint, auth, fetch: send = fetch, timeoutSeconds = 60 }: ClientOptions): Call {
  const base = endpoint.replace(/\/+$/, '').replace(/\/v1$/, '')
  const headers: Record<string, string> = {
    accept: 'application/json',
    [versionHeaders.version]: versionText(MAXIMUM),
    'x-bloomery': '1',
  }
  if (auth) headers['authorization'] = `Basic ${base64(`${auth.username}:${auth.password}`)}`
  return async <T>(method: string, path: string, { query, body }: { query?: Query; body?: unknown } = {}) => {
    const reply = await send(base + path + search(query), {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    })
    const text = await reply.text()
    if (!reply.ok) throw new ApiError(reply.status, faultText(text) || `${method} ${path}: HTTP ${reply.status}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

/** All pages of a collection. The address in `next` is the server's idea of itself; only its query is used. */
async function everything<T>(call: Call, path: string, collection: string, query: Query = {}): Promise<T[]> {
  const found: T[] = []
  let page: Query | undefined = query
  while (page) {
    const reply: Record<string, unknown> = await call('GET', path, { query: page })
    found.push(...(reply[collection] as T[]))
    const next = typeof reply['next'] === 'string' ? new URL(reply['next'], 'http://localhost').searchParams : undefined
    page = next && Object.fromEntries(next)
  }
  return found
}

function search(query: Query = {}): string {
  const given = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) given.set(key, String(value))
  return given.size > 0 ? `?${given.toString()}` : ''
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
