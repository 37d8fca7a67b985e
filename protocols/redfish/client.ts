import { type Answer, pathOf } from './answer.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Ask, exchange, type How, openStream, type Peer } from './connection.ts'
import { ConnectionClosed, IncorrectCredentials, MalformedAnswer, RequestRefused, type Subject } from './error.ts'
import { httpTransport } from './https.ts'
import { type JsonObject, linkAt } from './json.ts'
import { type AuthMode, Login } from './login.ts'
import type { TlsPolicy } from './tls.ts'
import type { ReplyStream, Transport } from './transport.ts'

export interface ConnectOptions {
  /** `https://bmc.example`, `http://10.0.0.5:8000`; a path, if there is one, is the service root's. */
  address: string
  username: string
  password: string
  /** `auto`: a session, and Basic where the BMC has none to give. */
  auth?: AuthMode
  tls?: TlsPolicy
  /** For each operation, with all its repetitions. */
  timeoutMs: number
  clock?: Clock
  random?: () => number
  transport?: Transport
}

/** A resource as it was when read. */
export interface Resource {
  readonly path: string
  readonly body: JsonObject
  readonly etag: string | undefined
}

export interface Redfish {
  readonly host: string
  /** The service root (DSP0266 §8.2). */
  readonly root: Resource
  readonly clock: Clock
  subject(operation: string): Subject
  get(path: string, operation: string): Promise<Resource>
  /** PATCH with If-Match, by the ETag that the resource was read with. */
  change(resource: Pick<Resource, 'path' | 'etag'>, body: unknown, how: How): Promise<Answer>
  send(ask: Ask, how: How): Promise<Answer>
  /** An answer that goes on for as long as both sides want: 200, or an error. Whoever has it closes it. */
  stream(ask: Ask, how: How): Promise<ReplyStream>
  readonly secrets: readonly string[]
  /** Ends the session on the BMC, which has few of them. */
  close(): Promise<void>
}

const ROOT = '/redfish/v1/'
const SESSIONS = '/redfish/v1/SessionService/Sessions'
const CLOSE_MS = 3000

export async function connect(options: ConnectOptions): Promise<Redfish> {
  const { clock = systemClock, random = Math.random, username, password } = options
  const address = parseAddress(options.address)
  const origin = new URL(address.origin)
  const transport = options.transport ?? httpTransport(origin, options.tls ?? { verify: true }, clock)
  const peer: Peer = { origin, username, secrets: [password], transport, clock, random, timeoutMs: options.timeoutMs }
  const rootPath = address.pathname === '/' ? ROOT : address.pathname
  try {
    return await open(peer, rootPath, options)
  } catch (error) {
    transport.close()
    throw error
  }
}

async function open(
  peer: Peer,
  rootPath: string,
  { username, password, auth = 'auto' }: ConnectOptions,
): Promise<Redfish> {
  const operation = 'read service root'
  const ask: Ask = { method: 'GET', path: rootPath }
  // The root is for everybody (DSP0266 §13.3), but some BMCs don't know that.
  const anonymous = await exchange(peer, undefined, ask, { operation }).catch((error: unknown) => {
    if (error instanceof IncorrectCredentials || (error instanceof RequestRefused && error.status === 403))
      return undefined
    throw error
  })
  // Who names no session service answers 401 to a log-in, like to anything else from a stranger.
  const named = sessionsOf(anonymous?.body)
  const sessions = named ?? SESSIONS
  const login = new Login({
    username,
    password,
    mode: auth === 'auto' && named === undefined ? 'basic' : auth,
    subject: { host: peer.origin.host, operation: 'log in' },
    createSession: (body) =>
      exchange(
        peer,
        undefined,
        { method: 'POST', path: pathOf(sessions, peer.origin) ?? SESSIONS, body },
        { operation: 'log in' },
      ),
  })
  const answer = anonymous ?? (await exchange(peer, login, ask, { operation }))
  const subject = { host: peer.origin.host, operation }
  if (!answer.body || !('RedfishVersion' in answer.body || 'Systems' in answer.body || '@odata.id' in answer.body))
    throw new MalformedAnswer(subject, 'the answer is no service root')
  return new Client(peer, login, { path: rootPath, body: answer.body, etag: answer.etag })
}

class Client implements Redfish {
  readonly root: Resource
  readonly #peer: Peer
  readonly #login: Login
  #closed = false

  constructor(peer: Peer, login: Login, root: Resource) {
    this.#peer = peer
    this.#login = login
    this.root = root
  }

  get host(): string {
    return this.#peer.origin.host
  }

  get clock(): Clock {
    return this.#peer.clock
  }

  get secrets(): readonly string[] {
    return this.#peer.secrets
  }

  subject(operation: string): Subject {
    return { host: this.host, operation }
  }

  async get(path: string, operation: string): Promise<Resource> {
    const answer = await this.send({ method: 'GET', path }, { operation })
    if (!answer.body) throw new MalformedAnswer(this.subject(operation), 'an empty answer')
    return { path, body: answer.body, etag: answer.etag }
  }

  /** When the ETag is refused the resource is read again, and in the end the change is made without: some BMCs compute other
   * ETags for PATCH than they tell at GET, or refuse weak ones although they tell no others. */
  async change({ path, etag }: Pick<Resource, 'path' | 'etag'>, body: unknown, how: How): Promise<Answer> {
    const attempt = (tag: string | undefined): Promise<Answer> => {
      const headers: Record<string, string> = tag === undefined ? {} : { 'if-match': tag }
      return this.send({ method: 'PATCH', path, body, headers }, how)
    }
    try {
      return await attempt(etag)
    } catch (error) {
      if (!aboutEtag(error)) throw error
    }
    const fresh = (await this.get(path, how.operation)).etag
    try {
      return await attempt(fresh?.replace(/^W\//, ''))
    } catch (error) {
      if (!aboutEtag(error)) throw error
      return attempt(error.status === 428 ? '*' : undefined)
    }
  }

  async send(ask: Ask, how: How): Promise<Answer> {
    return exchange(this.#peer, this.#login, this.#addressed(ask, how), how)
  }

  async stream(ask: Ask, how: How): Promise<ReplyStream> {
    return openStream(this.#peer, this.#login, this.#addressed(ask, how), how)
  }

  #addressed(ask: Ask, how: How): Ask {
    const path = pathOf(ask.path, this.#peer.origin)
    if (this.#closed) throw new ConnectionClosed(this.subject(how.operation))
    if (path === undefined) throw new MalformedAnswer(this.subject(how.operation), 'a link to no path')
    return { ...ask, path }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const path = (await this.#login.held())?.session?.path
    const how = { operation: 'log out', timeoutMs: CLOSE_MS }
    // The BMC forgets it by itself in half an hour or so.
    if (path !== undefined)
      await exchange(this.#peer, this.#login, { method: 'DELETE', path }, how).catch(() => undefined)
    this.#peer.transport.close()
  }
}

function aboutEtag(error: unknown): error is RequestRefused {
  return error instanceof RequestRefused && (error.status === 412 || error.status === 428)
}

function sessionsOf(root: JsonObject | undefined): string | undefined {
  const service = linkAt(root, 'SessionService')
  return linkAt(root, 'Links', 'Sessions') ?? (service && `${service.replace(/\/$/, '')}/Sessions`)
}

function parseAddress(address: string): URL {
  const url = URL.parse(address.includes('://') ? address : `https://${address}`)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new RangeError(`the BMC's address must be an https or http URL, not ${JSON.stringify(address.slice(0, 200))}`)
  if (url.username !== '' || url.password !== '')
    throw new RangeError("the BMC's address must not hold a user or password; they have keys of their own")
  return url
}
