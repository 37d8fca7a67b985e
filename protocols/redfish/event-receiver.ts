import { createHash, randomBytes } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type EventMessage, parseEventText } from './event.ts'

export interface EventReceiverOptions {
  host: string
  /** 0: any free one; see the result. */
  port: number
  /** PEM; plain HTTP without. BMCs seldom verify it. */
  tls?: { key: string; cert: string }
}

/** A place of one BMC to POST its events to. */
export interface Inlet {
  /** Comes back with the events, and is the end of the path: nobody else knows it. */
  readonly context: string
  readonly path: string
  close(): void
}

export interface EventReceiver {
  readonly port: number
  /** `onEvents` is called for what the BMC that knows the inlet's secret sends. */
  open(onEvents: (message: EventMessage) => void): Inlet
  close(): Promise<void>
}

const LARGEST_BODY = 1024 * 1024
const PATH = '/redfish-events/'
const MOST_CONNECTIONS = 1024
const REQUEST_MS = 10_000

/** Where BMCs POST their events to. A sender is known by an unguessable path and context, for BMCs log in nowhere (DSP0266 §12.5). */
export async function startEventReceiver({ host, port, tls }: EventReceiverOptions): Promise<EventReceiver> {
  // By digest, so that how long a look-up takes tells nothing of the secret.
  const inlets = new Map<string, { context: string; onEvents: (message: EventMessage) => void }>()
  const listener: RequestListener = (request, response) => {
    const end = (status: number): void => {
      response.writeHead(status, { 'content-length': '0' }).end()
    }
    const inlet = inlets.get(digest(tokenOf(request.url ?? '')))
    if (!inlet) return end(404)
    if (request.method !== 'POST') return end(405)
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size <= LARGEST_BODY) parts.push(part)
      else request.destroy()
    })
    request.on('error', () => undefined)
    request.on('end', () => {
      const message = parseEventText(Buffer.concat(parts).toString('utf8'))
      // What is no event is taken all the same: the BMC would send it again, and suspend the subscription in the end.
      end(204)
      if (message && (message.context === undefined || message.context === inlet.context)) inlet.onEvents(message)
    })
  }
  const server: Server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener)
  server.maxConnections = MOST_CONNECTIONS
  server.requestTimeout = REQUEST_MS
  server.headersTimeout = REQUEST_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    open(onEvents) {
      const context = randomBytes(24).toString('base64url')
      const key = digest(context)
      inlets.set(key, { context, onEvents })
      return { context, path: `${PATH}${context}`, close: () => void inlets.delete(key) }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function tokenOf(url: string): string {
  return url.startsWith(PATH) ? url.slice(PATH.length, PATH.length + 64) : ''
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
