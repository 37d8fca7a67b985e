import { type Bridge, bridged, direct, type Route } from './bridge.ts'
import type { CipherSuiteId } from './cipher-suite.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Command, privileges } from './command.ts'
import { getDeviceId } from './commands.ts'
import { isTransient } from './completion-code.ts'
import { MAX_KEY, MAX_USERNAME } from './crypto.ts'
import { type Discovery, discoverCipherSuites } from './discover.ts'
import { CommandFailed, NoSupportedCipherSuite, SessionClosed, SessionRefused, TransportTimeout } from './error.ts'
import { type Patience, pause, type Peer, subjectOf } from './exchange.ts'
import { keepAlive } from './keep-alive.ts'
import type { LiveSession } from './live-session.ts'
import { type Credentials, openSession } from './open-session.ts'
import { openSession15 } from './session-15.ts'
import { type Random, systemRandom } from './random.ts'
import { resolveHost } from './resolve.ts'
import type { IpmiSocket } from './socket.ts'
import { refusesSuite, statusCodes } from './status-code.ts'
import { MAX_PASSWORD_15 } from './wrapping-15.ts'

export interface ConnectOptions extends Credentials {
  socket: IpmiSocket
  host: string
  port: number
  /** 1.5 has no cipher suites, and its log-in is by MD5: for BMCs that have nothing better. */
  protocolVersion?: '1.5' | '2.0'
  cipherSuite?: CipherSuiteId | 'auto'
  /** Commands are for a controller behind the BMC, not for itself. */
  bridge?: Bridge | undefined
  /** For the whole of connecting, and for each command after it. */
  timeoutMs: number
  /** After so long a silence, and again after each, the BMC is asked for its device ID, so that it doesn't forget the session; absent: it may,
   * and the next command logs in anew. */
  keepAliveMs?: number | undefined
  clock?: Clock
  random?: Random
}

/** `once`: the BMC is not asked again by a new session after silence, because it may have done it. `lun`: for which part of the BMC it is. */
export interface SendHow {
  once?: boolean
  lun?: number | undefined
}

export interface IpmiSession {
  readonly host: string
  readonly port: number
  /** The cipher suite that is in use; IPMI 1.5 has none. */
  readonly cipherSuite: number | undefined
  /** Commands queue: a BMC is asked one thing at a time. */
  send<Request, Response>(command: Command<Request, Response>, request: Request, how?: SendHow): Promise<Response>
  close(): Promise<void>
}

/** §6.12.15: a BMC forgets a session after 60 s ± 3 s of silence. */
const IDLE_LIMIT = 50_000
const BUSY_PAUSE = 1000

export async function connect(options: ConnectOptions): Promise<IpmiSession> {
  const { peer, suite, live } = await openLive(options)
  return new KeptSession(peer, options, suite, live)
}

/** One session, as long as the BMC keeps it: for what must notice that it ended. */
export async function openLive(
  options: ConnectOptions,
): Promise<{ peer: Peer; suite: CipherSuiteId | undefined; live: LiveSession }> {
  const { host, port, socket, timeoutMs, clock = systemClock, random = systemRandom } = options
  checkLength('user name', Buffer.byteLength(options.username), MAX_USERNAME)
  checkLength(
    'password',
    Buffer.byteLength(options.password),
    options.protocolVersion === '1.5' ? MAX_PASSWORD_15 : MAX_KEY,
  )
  checkLength('BMC key', options.kg?.length ?? 0, MAX_KEY)
  const patience = patienceOf(clock, timeoutMs)
  const address = await resolveHost({ host, port }, clock, patience)
  const peer: Peer = { host, address, port, socket, clock, random }
  return { peer, ...(await logIn(peer, options, patience)) }
}

class KeptSession implements IpmiSession {
  readonly cipherSuite: CipherSuiteId | undefined
  readonly #peer: Peer
  readonly #options: ConnectOptions
  readonly #route: Route
  #live: LiveSession
  #closed = false
  #queue: Promise<unknown> = Promise.resolve()
  #letGo = (): void => undefined

  constructor(peer: Peer, options: ConnectOptions, suite: CipherSuiteId | undefined, live: LiveSession) {
    this.cipherSuite = suite
    this.#peer = peer
    this.#options = options
    this.#route = options.bridge ? bridged(options.bridge) : direct
    this.#live = live
    this.#keep()
  }

  get host(): string {
    return this.#peer.host
  }

  get port(): number {
    return this.#peer.port
  }

  send<Request, Response>(command: Command<Request, Response>, request: Request, how: SendHow = {}): Promise<Response> {
    if (this.#closed) return Promise.reject(new SessionClosed(subjectOf(this.#peer, command.name)))
    const turn = this.#queue.then(() => this.#untilReady(command, request, how))
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    this.#letGo()
    return this.#queue.then(() => this.#live.close())
  }

  /** A BMC that is busy or starting up is asked again until the deadline, and then that is the error, not the last silence. */
  async #untilReady<Q, R>(command: Command<Q, R>, request: Q, how: SendHow): Promise<R> {
    const { clock } = this.#peer
    const patience = patienceOf(clock, this.#options.timeoutMs)
    let busy: CommandFailed | undefined
    for (;;) {
      try {
        return await this.#withSession(command, request, patience, how)
      } catch (error) {
        if (error instanceof TransportTimeout) throw busy ?? error
        if (!(error instanceof CommandFailed) || !isTransient(error.completionCode)) throw error
        if (clock.now() + BUSY_PAUSE >= patience.deadline) throw error
        busy = error
        await pause(clock, BUSY_PAUSE)
      }
    }
  }

  /** Silence for half of the time means that the BMC may have lost the session (it was reset, or somebody took the slot): log in
   * anew, once, and ask again. */
  async #withSession<Q, R>(command: Command<Q, R>, request: Q, patience: Patience, how: SendHow): Promise<R> {
    const { once = false, lun } = how
    const by = { route: this.#route, lun }
    if (this.#live.idleFor() > IDLE_LIMIT) await this.#reopen(patience)
    const now = this.#peer.clock.now()
    try {
      const half = { ...patience, deadline: (now + patience.deadline) / 2 }
      return await this.#live.send(command, request, half, by)
    } catch (error) {
      if (once || !(error instanceof TransportTimeout)) throw error
      await this.#reopen(patience)
      return this.#live.send(command, request, patience, by)
    }
  }

  async #reopen(patience: Patience): Promise<void> {
    this.#live = await openPatiently(this.#peer, this.#options, this.cipherSuite, patience)
    this.#keep()
  }

  /** A BMC that doesn't answer is left alone until somebody wants something of it. */
  #keep(): void {
    this.#letGo()
    const { keepAliveMs: everyMs, timeoutMs } = this.#options
    if (everyMs === undefined || this.#closed) return
    const { clock } = this.#peer
    const ask = (): Promise<unknown> => {
      const turn = this.#queue.then(() => this.#live.send(getDeviceId, undefined, patienceOf(clock, timeoutMs)))
      this.#queue = turn.catch(() => undefined)
      return turn
    }
    this.#letGo = keepAlive({ clock, everyMs, idleFor: () => this.#live.idleFor(), ask, failed: () => undefined })
  }
}

async function logIn(
  peer: Peer,
  options: ConnectOptions,
  patience: Patience,
): Promise<{ suite: CipherSuiteId | undefined; live: LiveSession }> {
  const { cipherSuite = 'auto' } = options
  if (options.protocolVersion === '1.5')
    return { suite: undefined, live: await openPatiently(peer, options, undefined, patience) }
  const discovery: Discovery =
    cipherSuite === 'auto'
      ? await discoverCipherSuites(peer, privileges[options.privilege], patience)
      : { candidates: [cipherSuite] }
  for (const suite of discovery.candidates) {
    try {
      return { suite, live: await openPatiently(peer, options, suite, patience) }
    } catch (error) {
      if (!(error instanceof SessionRefused) || !refusesSuite(error.status)) throw error
    }
  }
  throw new NoSupportedCipherSuite(subjectOf(peer, 'Open Session'), discovery.candidates, discovery.offered)
}

/** A handshake that fell silent midway can't always be resumed (the BMC may have moved on), so it is begun again, and one that
 * found all session slots taken waits for one. */
async function openPatiently(
  peer: Peer,
  credentials: Credentials,
  suite: CipherSuiteId | undefined,
  patience: Patience,
): Promise<LiveSession> {
  for (;;) {
    const now = peer.clock.now()
    const attempt = Math.max((patience.deadline - now) / 2, 1000)
    const deadline = Math.min(now + attempt, patience.deadline)
    try {
      const share = { ...patience, deadline }
      return await (suite === undefined
        ? openSession15(peer, credentials, share)
        : openSession(peer, credentials, suite, share))
    } catch (error) {
      const full = error instanceof SessionRefused && isFull(error.status)
      if (!full && !(error instanceof TransportTimeout)) throw error
      if (peer.clock.now() + (full ? BUSY_PAUSE : 0) >= patience.deadline) throw error
      if (full) await pause(peer.clock, BUSY_PAUSE)
    }
  }
}

function isFull(status: number): boolean {
  return status === statusCodes.insufficientResources || status === statusCodes.insufficientResourcesForRole
}

function patienceOf(clock: Clock, ms: number): Patience {
  return { deadline: clock.now() + ms, seconds: ms / 1000 }
}

function checkLength(what: string, length: number, most: number): void {
  if (length > most) throw new RangeError(`the ${what} has ${length} bytes; IPMI allows ${most}`)
}
