import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Clock } from './clock.ts'
import { faultOf } from './fault.ts'
import { agentFor, type TlsPolicy } from './tls.ts'
import { type Reply, type Request, type Transport, TransportFault } from './transport.ts'

/** Attribute registries reach a few MiB; nothing honest is larger. */
const LARGEST_BODY = 16 * 1024 * 1024
/** BMCs have a handful of connections in all, which other consoles want too. */
const CONNECTIONS = 2

/** A BMC over HTTP(S), with connections kept between requests. */
export function httpTransport(origin: URL, tls: TlsPolicy, clock: Clock): Transport {
  const secure = origin.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: CONNECTIONS, keepAliveMsecs: 5000 }
  const agent = secure ? agentFor(tls, kept) : new HttpAgent(kept)
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const open = (of: Request): ClientRequest =>
    (secure ? httpsRequest : httpRequest)({
      agent,
      host,
      port: origin.port || (secure ? 443 : 80),
      method: of.method,
      path: of.path,
      headers: of.headers,
    })
  return {
    send: (of) => exchange(of, open, clock),
    close: () => agent.destroy(),
  }
}

function exchange(of: Request, open: (of: Request) => ClientRequest, clock: Clock): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  let request: ClientRequest
  try {
    request = open(of)
  } catch (error) {
    return Promise.reject(new TransportFault('unsendable', 'the request cannot be expressed in HTTP', error))
  }
  const cancel = clock.after(of.timeoutMs, () => {
    reject(new TransportFault('silent', 'no answer'))
    request.destroy()
  })
  let heard = false
  request.on('response', (reply) => {
    heard = true
    collect(reply).then(resolve, (error: unknown) => {
      request.destroy()
      reject(faultOf(error, false))
    })
  })
  request.on('error', (error) => reject(faultOf(error, request.reusedSocket && !heard)))
  // With the connection gone before a whole answer, node sometimes tells no more than this.
  request.on('close', () => {
    if (!heard) reject(new TransportFault('reset', 'the connection broke'))
  })
  request.end(of.body)
  return promise.finally(cancel)
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
