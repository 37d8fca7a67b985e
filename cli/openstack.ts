import { z } from 'zod'
import { ApiError } from '../contract/api/client.ts'
import { UsageError } from './usage.ts'

/** The services beside bare metal, which answer as OpenStack's do: servers, images, networks, volumes. */
export interface OpenStack {
  /** `path` begins with the service, such as `/compute/v2.1/servers`. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>
}

const REQUEST_MS = 60_000
const MICROVERSION = 'compute 2.79'

export function openStackOf(endpoint: string, send: typeof fetch): OpenStack {
  const base = endpoint.replace(/\/+$/, '')
  return {
    async ask(method, path, body) {
      const reply = await send(`${base}${path}`, {
        method,
        headers: { accept: 'application/json', 'openstack-api-version': MICROVERSION },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      })
      const text = await reply.text()
      if (reply.ok) return text === '' ? undefined : (JSON.parse(text) as unknown)
      throw refused(reply.status, text)
    },
  }
}

const fault = z.record(z.string(), z.looseObject({ message: z.string() }))

function refused(status: number, text: string): Error {
  const message = messageIn(text)
  if (status === 404 && message === undefined)
    return new UsageError('this cloud keeps neither servers nor volumes: start it by `bloomery serve --auth keystone`')
  if (status === 403 && message !== undefined && /of no project/.test(message))
    return new UsageError(`${message} Set BLOOMERY_PROJECT.`)
  return new ApiError(status, message ?? `HTTP ${status}`)
}

/** Nova has it one level down, Glance and Neutron each elsewhere. */
function messageIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text)
    const flat = z.looseObject({ message: z.string() }).safeParse(body).data
    return flat?.message ?? Object.values(fault.parse(body))[0]?.message
  } catch {
    return undefined
  }
}

const named = z.array(z.looseObject({ id: z.string(), name: z.string().nullable() }))

/** The id of what is called so, by name or id. */
export async function idOf(openstack: OpenStack, list: string, key: string, ident: string): Promise<string> {
  const reply = z.record(z.string(), z.unknown()).parse(await openstack.ask('GET', list))
  const found = named.parse(reply[key]).filter(({ id, name }) => id === ident || name === ident)
  const [one] = found
  if (found.length === 1 && one) return one.id
  const exact = found.find(({ id }) => id === ident)
  if (exact) return exact.id
  throw new UsageError(
    found.length === 0 ? `no such thing among the ${key}: ${ident}` : `several ${key} are called ${ident}: give the id`,
  )
}
