import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { deliverEvents } from './service/event-delivery.ts'
import type { Result } from './service/route.ts'
import { createService, type ServiceOptions } from './service/service.ts'
import type { State } from './service/state.ts'

export interface StartRedfishOptions extends ServiceOptions {
  host: string
  /** 0: any free one; see the result. */
  port: number
  /** PEM; plain HTTP without. */
  tls?: { key: string; cert: string } & Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers'>
}

export interface RunningRedfish {
  readonly host: string
  readonly port: number
  /** For `address` of a client. */
  readonly url: string
  readonly state: State
  /** As a BMC that restarts: all at once, without a word. */
  breakConnections(): void
  close(): Promise<void>
}

/** Firmware is pushed whole. */
const LARGEST_BODY = 64 * 1024 * 1024

/** A BMC's Redfish service on a socket of its own. */
export async function startRedfish(options: StartRedfishOptions): Promise<RunningRedfish> {
  const service = createService(options)
  let { tls } = service.state
  const listener: RequestListener = (request, response) => {
    const respond = async (): Promise<void> => {
      const body = await readBody(request)
      const path = request.url ?? '/'
      const result = await service.handle({ method: request.method ?? 'GET', path, headers: request.headers, body })
      if (result.stream) return streamed(response, result)
      const text = result.body === undefined ? '' : JSON.stringify(result.body)
      response.writeHead(result.status, {
        'odata-version': '4.0',
        'cache-control': 'no-cache',
        ...(text === '' ? {} : { 'content-type': 'application/json;charset=utf-8' }),
        // A 204 has no body and so no length.
        ...(result.status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
        ...result.headers,
      })
      response.end(text)
      if (service.state.tls !== tls) setTls(server, (tls = service.state.tls))
    }
    // A console that has gone away in the meantime is no fault of the BMC.
    respond().catch(() => request.destroy())
  }
  const server: Server = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', options.onError)
  const endDelivery = deliverEvents(service.state)
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    host: options.host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    state: service.state,
    breakConnections: () => server.closeAllConnections(),
    close: () =>
      new Promise<void>((resolve) => {
        endDelivery()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** For connections to come. */
function setTls(server: Server, tls: State['tls']): void {
  if (tls && server instanceof HttpsServer) server.setSecureContext(tls)
}

function streamed(response: ServerResponse, { status, headers, stream }: Result): void {
  response.writeHead(status, headers)
  const stop = stream!((text) => void response.write(text))
  response.on('close', stop)
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > LARGEST_BODY) throw new RangeError(`a request of more than ${LARGEST_BODY} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
