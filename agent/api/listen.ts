import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Connected } from './app.ts'
import type { Identity } from './certificate.ts'

export interface Listening {
  port: number
  close(): Promise<void>
}

export interface Where {
  host: string
  port: number
  /** Absent where the server is too old to be sent a certificate. */
  identity?: Identity
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export async function listen(
  app: Hono<Connected>,
  { host, port, identity, minVersion = 'TLSv1.2' }: Where,
): Promise<Listening> {
  const handle = getRequestListener((request, { incoming }) => app.fetch(request, { incoming }))
  const listener: RequestListener = (request, response) => void handle(request, response)
  const server = identity
    ? createHttpsServer({ key: identity.key, cert: identity.certificate, minVersion }, listener)
    : createHttpServer(listener)
  server.maxConnections = 64
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    // A ramdisk's kernel may lack IPv6; "any address" then means any IPv4 address.
    if (host !== '::' || !(error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT')) throw error
    server.listen(port, '0.0.0.0')
    await once(server, 'listening')
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
