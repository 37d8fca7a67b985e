import { faultText } from './faults.ts'
import type { AnyRoute, Asked, FunctionOf, Query } from './route.ts'
import { routes } from './routes.ts'
import { MAXIMUM, versionHeaders, versionText } from './versions.ts'

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

type Call = <T>(method: string, path: string, options?: Asked) => Promise<T>

type Routes = typeof routes
type Resources = { [Name in keyof Routes]: { [Each in keyof Routes[Name]]: FunctionOf<Routes[Name][Each]> } }
/** As the table of routes has it, by resource; and two by the names that everybody knows. */
export type Client = Resources & { root: Resources['api']['root']; enrol: Resources['appliances']['enrol'] }

export function createClient(options: ClientOptions): Client {
  const call = caller(options)
  const made = Object.fromEntries(
    Object.entries(routes as Record<string, Record<string, AnyRoute>>).map(([name, table]) => [
      name,
      Object.fromEntries(Object.entries(table).map(([each, route]) => [each, functionOf(call, route)])),
    ]),
  ) as unknown as Resources
  return { ...made, root: made.api.root, enrol: made.appliances.enrol }
}

/** The first arguments are the path's. */
function functionOf(call: Call, { method, path, ask, pages }: AnyRoute): (...args: string[]) => Promise<unknown> {
  const names = path.match(/:\w+/g) ?? []
  return (...args) => {
    const where = names.reduce((so, name, at) => so.replace(name, encodeURIComponent(args[at] ?? '')), path)
    const asked = ask(...(args.slice(names.length) as never[]))
    return pages === undefined ? call(method, where, asked) : everything(call, where, pages, asked.query)
  }
}

function caller({ endpoint, auth, fetch: send = fetch, timeoutSeconds = 60 }: ClientOptions): Call {
  const base = endpoint.replace(/\/+$/, '').replace(/\/v1$/, '')
  const headers: Record<string, string> = {
    accept: 'application/json',
    [versionHeaders.version]: versionText(MAXIMUM),
    'x-bloomery': '1',
  }
  if (auth) headers['authorization'] = `Basic ${base64(`${auth.username}:${auth.password}`)}`
  return async <T>(method: string, path: string, { query, body }: Asked = {}) => {
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
