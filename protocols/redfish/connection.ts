import { type Answer, answerOf, pathOf } from './answer.ts'
import { type Clock, pause } from './clock.ts'
import {
  ConnectionClosed,
  IncorrectCredentials,
  MalformedAnswer,
  NotOffered,
  RedfishError,
  RequestRefused,
  type Subject,
  TlsRefused,
  Unreachable,
} from './error.ts'
import type { Credentials, Login } from './login.ts'
import { judgeFault, judgeReply, type Verdict, waitBefore } from './retry.ts'
import {
  type BodySource,
  type Reply,
  type ReplyStream,
  type Request,
  type Transport,
  TransportFault,
} from './transport.ts'

export interface Peer {
  origin: URL
  username: string
  /** What must not appear in an error, even if the BMC quotes it. */
  secrets: readonly string[]
  transport: Transport
  clock: Clock
  /** Evenly between 0 and 1. */
  random(this: void): number
  timeoutMs: number
}

export interface Ask {
  method: Request['method']
  path: string
  /** Bytes as they are, anything else as JSON. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

export interface How {
  operation: string
  timeoutMs?: number
  secrets?: readonly string[]
}

const MOST_REDIRECTS = 3
const MOST_ATTEMPTS = 100
const MOST_EMPTY_ANSWERS = 3

/** Asks until there is an answer, the deadline passes, or asking again would be wrong. `login` is left out for what needs none. */
export async function exchange(peer: Peer, login: Login | undefined, ask: Ask, how: How): Promise<Answer> {
  return new Exchange(peer, login, ask, how).run()
}

/** The head of an answer that has no end, which the caller opens again when it breaks. A chunk's fault is told as any other. */
export async function openStream(peer: Peer, login: Login, ask: Ask, how: How): Promise<ReplyStream> {
  const subject = { host: peer.origin.host, operation: how.operation }
  const timeoutMs = how.timeoutMs ?? peer.timeoutMs
  for (let attempt = 0; ; attempt += 1) {
    const credentials = await login.credentials()
    const headers = { 'odata-version': '4.0', ...ask.headers, ...credentials.headers }
    let stream: ReplyStream
    try {
      stream = await peer.transport.open({ method: ask.method, path: ask.path, headers, timeoutMs })
    } catch (error) {
      throw unanswered(error, subject, timeoutMs / 1000)
    }
    if (stream.status === 200) return { ...stream, chunks: told(stream.chunks, subject, timeoutMs / 1000) }
    stream.close()
    if (stream.status !== 401) throw new RequestRefused(subject, stream.status, [], peer.secrets)
    if (attempt > 0 || !(await login.forget(credentials))) throw new IncorrectCredentials(subject, peer.username)
  }
}

async function* told(chunks: AsyncIterable<Uint8Array>, subject: Subject, seconds: number): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    throw unanswered(error, subject, seconds)
  }
}

interface Failure {
  error: RedfishError
  verdict: Exclude<Verdict, 'accept'>
}

class Exchange {
  readonly #peer: Peer
  readonly #login: Login | undefined
  readonly #ask: Ask
  readonly #how: How
  readonly #subject: Subject
  readonly #seconds: number
  readonly #deadline: number
  #path: string
  #redirects = 0
  #empty = 0
  #renewed = false

  constructor(peer: Peer, login: Login | undefined, ask: Ask, how: How) {
    this.#peer = peer
    this.#login = login
    this.#ask = ask
    this.#how = how
    this.#path = ask.path
    this.#subject = { host: peer.origin.host, operation: how.operation }
    const ms = how.timeoutMs ?? peer.timeoutMs
    this.#seconds = ms / 1000
    this.#deadline = peer.clock.now() + ms
  }

  async run(): Promise<Answer> {
    const { clock } = this.#peer
    let failure: RedfishError | undefined
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const result = await this.#attempt(attempt)
      if ('answer' in result) return result.answer
      // What the BMC said last tells more than the silence at the end.
      if (!(result.error instanceof Unreachable) || !(failure instanceof RequestRefused)) failure = result.error
      if (result.verdict === 'fail' || clock.now() + result.verdict.againAfterMs >= this.#deadline) break
      if (result.verdict.againAfterMs > 0) await pause(clock, result.verdict.againAfterMs)
    }
    throw failure ?? new ConnectionClosed(this.#subject)
  }

  async #attempt(attempt: number): Promise<{ answer: Answer } | Failure> {
    const { method } = this.#ask
    const { clock, transport, origin, random } = this.#peer
    const credentials = await this.#login?.credentials()
    const left = Math.max(this.#deadline - clock.now(), 1)
    // A lost question is asked again within the deadline, if that is harmless.
    const timeoutMs = method === 'GET' ? Math.min(left, Math.max(left / 2, 1000)) : left
    let reply: Reply
    try {
      reply = await transport.send({ method, path: this.#path, timeoutMs, ...this.#content(credentials) })
    } catch (error) {
      if (!(error instanceof TransportFault)) throw error
      return {
        error: unanswered(error, this.#subject, this.#seconds),
        verdict: judgeFault(error, method, attempt, random()),
      }
    }
    const answer = answerOf(reply, origin)
    if (reply.status === 401) return this.#unauthorized(credentials)
    if (answer.redirect !== undefined && reply.status >= 300 && reply.status < 400)
      return this.#redirected(answer, answer.redirect)
    const verdict = judgeReply(reply, answer.messages, method, attempt, random())
    if (verdict !== 'accept') return { error: this.#refused(answer), verdict }
    if (answer.malformed || (method === 'GET' && reply.status === 200 && !answer.body)) {
      // BMCs that are short of memory end an answer early.
      this.#empty += 1
      const error = new MalformedAnswer(
        this.#subject,
        answer.malformed ? 'the answer is no JSON object' : 'an empty answer',
      )
      const again = method === 'GET' && this.#empty < MOST_EMPTY_ANSWERS
      return { error, verdict: again ? { againAfterMs: waitBefore(attempt, random()) } : 'fail' }
    }
    return { answer }
  }

  #content(credentials: Credentials | undefined): Pick<Request, 'headers' | 'body'> {
    const { body, headers } = this.#ask
    const raw = body instanceof Uint8Array || isSource(body)
    const content = body === undefined || raw ? body : JSON.stringify(body)
    const size = content === undefined ? 0 : isSource(content) ? content.size : Buffer.byteLength(content)
    return {
      headers: {
        accept: 'application/json',
        'odata-version': '4.0',
        ...(content === undefined ? {} : { 'content-length': String(size) }),
        ...(content === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...credentials?.headers,
      },
      ...(content === undefined ? {} : { body: content }),
    }
  }

  async #unauthorized(credentials: Credentials | undefined): Promise<Failure> {
    const error = new IncorrectCredentials(this.#subject, this.#peer.username)
    const again = !this.#renewed && credentials !== undefined && (await this.#login?.forget(credentials))
    this.#renewed = true
    return { error, verdict: again ? { againAfterMs: 0 } : 'fail' }
  }

  /** Within the same origin only: anywhere else the password would go to a stranger. */
  #redirected(answer: Answer, location: string): Failure {
    const { origin } = this.#peer
    const error = this.#refused(answer)
    const target = URL.parse(location, new URL(this.#path, origin).href)
    if (target?.origin !== origin.origin) {
      const where = target ? target.origin : 'nowhere'
      return {
        error: new NotOffered(this.#subject, `it redirects to ${where}; give that address instead`),
        verdict: 'fail',
      }
    }
    const kept = this.#ask.method === 'GET' || answer.status === 307 || answer.status === 308
    this.#redirects += 1
    this.#path = pathOf(location, new URL(this.#path, origin)) ?? this.#path
    return { error, verdict: kept && this.#redirects <= MOST_REDIRECTS ? { againAfterMs: 0 } : 'fail' }
  }

  #refused({ status, messages }: Answer): RequestRefused {
    return new RequestRefused(this.#subject, status, messages, [...this.#peer.secrets, ...(this.#how.secrets ?? [])])
  }
}

/** What is no fault of the transport is passed on as it is. */
function unanswered(fault: unknown, subject: Subject, seconds: number): RedfishError {
  if (!(fault instanceof TransportFault)) throw fault
  if (fault.kind === 'tls') return new TlsRefused(subject, fault.message)
  if (fault.kind === 'flood') return new MalformedAnswer(subject, fault.message)
  if (fault.kind === 'unreadable') return new RedfishError(subject, fault.message, { cause: fault.cause })
  if (fault.kind === 'unsendable') return new MalformedAnswer(subject, 'a link that no request can be sent to')
  return new Unreachable(subject, fault.message, seconds, fault)
}

function isSource(body: unknown): body is BodySource {
  return typeof body === 'object' && body !== null && 'read' in body && typeof body.read === 'function'
}
