import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { getRequestListener } from '@hono/node-server'

const GRACE_MS = 5_000

export interface HttpOptions {
  fetch: (request: Request, environment: object) => Response | Promise<Response>
  host: string
  port: number
  tls?: { key: string; cert: string }
}

export interface HttpServer {
  port: number
  /** Answers what was begun, for some seconds. */
  close(): Promise<void>
}

export async function listen({ fetch, host, port, tls }: HttpOptions): Promise<HttpServer> {
  const handle = getRequestListener((request, environment) => fetch(request, environment), {
    overrideGlobalObjects: false,
  })
  const onRequest: Parameters<typeof createHttpServer>[1] = (request, response) => void handle(request, response)
  const server = tls ? createHttpsServer({ ...tls, minVersion: 'TLSv1.2' }, onRequest) : createHttpServer(onRequest)
  // Images take as long as they take; headers don't.
  server.headersTimeout = 20_000
  server.requestTimeout = 0
  // Longer than clients keep an idle connection: who ends it while a request is on its way loses that request.
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
      await closed
      clearTimeout(timer)
    },
  }
}
