import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
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
  close(): Promise<void>
}

const LARGEST_BODY = 1024 * 1024

/** A BMC's Redfish service on a socket of its own. */
export async function startRedfish(options: StartRedfishOptions): Promise<RunningRedfish> {
  const service = createService(options)
  const listener: RequestListener = (request, response) => {
    const respond = async (): Promise<void> => {
      const body = await readBody(request)
      const path = request.url ?? '/'
      const result = await service.handle({ method: request.method ?? 'GET', path, headers: request.headers, body })
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
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    host: options.host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    state: service.state,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > LARGEST_BODY) throw new RangeError('a request of more than 1 MiB')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
