import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Clock } from './clock.ts'
import { faultOf } from './fault.ts'
import { agentFor, type Hurried, type TlsPolicy } from './tls.ts'
import { type Reply, type ReplyStream, type Request, type Transport, TransportFault } from './transport.ts'

/** Attribute registries reach a few MiB; nothing honest is larger. */
const LARGEST_BODY = 16 * 1024 * 1024
/** BMCs have a handful of connections in all, which other consoles want too. */
const CONNECTIONS = 2
/** After that a connection is given back, whatever the BMC thinks of keeping it: a site has thousands, and each costs a tenth of a MiB. Longer
 * than the pauses of who waits for something, such as a change of power. */
const IDLE_MS = 6000

/** A BMC over HTTP(S), with connections kept between requests. */
export function httpTransport(origin: URL, tls: TlsPolicy, clock: Clock): Transport {
  const secure = origin.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: CONNECTIONS, keepAliveMsecs: 5000, timeout: IDLE_MS }
  const makeAgent = (): HttpAgent | HttpsAgent => (secure ? agentFor(tls, kept) : new HttpAgent(kept))
  const agent = makeAgent()
  // What has no end must not keep the questions waiting.
  let endless: HttpAgent | HttpsAgent | undefined
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const begin: Begin = (of, agent, givenUp) => {
    const { method, path, headers } = of
    const port = origin.port || (secure ? 443 : 80)
    const options: RequestOptions & Hurried = { agent, host, port, method, path, headers, givenUp }
    return (secure ? httpsRequest : httpRequest)(options)
  }
  return {
    send: async (of) => ask(of, agent, begin, clock, collect),
    open: async (of) => ask(of, (endless ??= makeAgent()), begin, clock, streamed),
    close: () => {
      agent.destroy()
      endless?.destroy()
    },
  }
}

type Begin = (of: Request, agent: HttpAgent | HttpsAgent, givenUp: AbortSignal) => ClientRequest

/** Until `take` has what it wants of the reply, within the request's time. */
function ask<T>(
  of: Request,
  agent: HttpAgent | HttpsAgent,
  begin: Begin,
  clock: Clock,
  take: (reply: IncomingMessage) => Promise<T>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const late = new AbortController()
  let request: ClientRequest
  try {
    request = begin(of, agent, late.signal)
  } catch (error) {
    return Promise.reject(new TransportFault('unsendable', 'the request cannot be expressed in HTTP', error))
  }
  const cancel = clock.after(of.timeoutMs, () => {
    reject(new TransportFault('silent', 'no answer'))
    request.destroy()
    late.abort()
  })
  let heard = false
  request.on('response', (reply) => {
    heard = true
    take(reply).then(resolve, (error: unknown) => {
      request.destroy()
      reject(faultOf(error, false))
    })
  })
  request.on('error', (error) => reject(faultOf(error, request.reusedSocket && !heard)))
  // With the connection gone before a whole answer, node sometimes tells no more than this.
  request.on('close', () => {
    if (!heard) reject(new TransportFault('reset', 'the connection broke'))
  })
  sendBody(request, of.body, reject)
  return promise.finally(cancel)
}

function sendBody(request: ClientRequest, body: Request['body'], reject: (error: unknown) => void): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return void request.end(body)
  const source = Readable.from(body.read(), { objectMode: false })
  source.on('error', (error) => {
    reject(new TransportFault('unreadable', `what is to be sent can't be read (${error.message})`, error))
    request.destroy()
  })
  request.on('close', () => source.destroy())
  source.pipe(request)
}

function collect(reply: IncomingMessage): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const parts: Buffer[] = []
  let size = 0
  reply.on('data', (part: Buffer) => {
    size += part.length
    if (size > LARGEST_BODY) reject(new TransportFault('flood', `an answer of more than ${LARGEST_BODY} bytes`))
    else parts.push(part)
  })
  reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(parts) }))
  reply.on('error', reject)
  reply.on('close', () => reject(new TransportFault('reset', 'the connection broke')))
  return promise
}

async function streamed(reply: IncomingMessage): Promise<ReplyStream> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* reply as AsyncIterable<Buffer>
    } catch (error) {
      throw faultOf(error, false)
    }
  }
  return {
    status: reply.statusCode ?? 0,
    headers: reply.headers,
    chunks: chunks(),
    close: () => void reply.destroy(),
  }
}
