import { TransportFault } from '../transport.ts'
import type { Reply, Request, Transport } from '../transport.ts'

export const SYSTEM = '/redfish/v1/Systems/1'
export const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`
export const resources: Record<string, unknown> = {
  '/redfish/v1/': {
    RedfishVersion: '1.8.0',
    Systems: { '@odata.id': '/redfish/v1/Systems' },
    Links: { Sessions: { '@odata.id': '/redfish/v1/SessionService/Sessions' } },
  },
  '/redfish/v1/Systems': { Members: [{ '@odata.id': SYSTEM }] },
  [SYSTEM]: { PowerState: 'On', Actions: { '#ComputerSystem.Reset': { target: RESET } } },
}

export type Trouble = Reply | TransportFault
type Asked = { method: string; path: string }

/** A BMC in order, but for what `trouble` makes of the requests to one path. */
export function bmcWith(
  path: string,
  trouble: readonly Trouble[],
  always?: Trouble,
  streams: Trouble[] = [],
): { transport: Transport; asked: Asked[] } {
  const asked: Asked[] = []
  const left = [...trouble]
  const answer = (request: Request): Trouble => {
    if (request.path === path) {
      const next = left.shift() ?? always
      if (next) return next
    }
    if (request.path.endsWith('/Sessions'))
      return reply(201, {}, { 'x-auth-token': 'token', location: '/redfish/v1/SessionService/Sessions/1' })
    const body = resources[request.path]
    if (request.method === 'GET') return body === undefined ? reply(404) : reply(200, body)
    return reply(204)
  }
  const transport: Transport = {
    send: (request) => {
      asked.push({ method: request.method, path: request.path })
      const given = answer(request)
      return given instanceof Error ? Promise.reject(given) : Promise.resolve(given)
    },
    open: async ({ path }) => {
      asked.push({ method: 'STREAM', path })
      const next = streams.shift()
      if (!next) return { status: 200, headers: {}, chunks: endless(), close: () => undefined }
      if (next instanceof Error) throw next
      return { status: next.status, headers: next.headers, chunks: chunksOf(next), close: () => undefined }
    },
    close: () => undefined,
  }
  return { transport, asked }
}

export function reply(status: number, body?: unknown, headers: Record<string, string> = {}): Reply {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers, body: Buffer.from(text) }
}

export const said = (id: string, text: string) => ({
  error: { '@Message.ExtendedInfo': [{ MessageId: `Base.1.8.${id}`, Message: text }] },
})

export const options = {
  address: 'https://bmc.example',
  username: 'admin',
  password: 'hunter2-secret',
  timeoutMs: 60_000,
  random: () => 0.5,
} as const

export const fault = (kind: ConstructorParameters<typeof TransportFault>[0], text = 'trouble') =>
  new TransportFault(kind, text)

export const EVENT = 'id: 4\ndata: {"Events": [{"MessageId": "ResourceEvent.1.3.ResourcePoweredOn"}]}\n\n'

async function* chunksOf({ body, headers }: Reply): AsyncGenerator<Uint8Array> {
  yield body
  if (headers['x-then'] === 'breaks') throw fault('reset', 'the connection broke')
}

/** As a connection that is held. */
async function* endless(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(EVENT)
  await new Promise<never>(() => undefined)
}
