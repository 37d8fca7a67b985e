import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface WebServer {
  url: string
  files: Record<string, Buffer>
  asked: Pick<IncomingMessage, 'url' | 'headers'>[]
  /** The status, and headers, of an answer in place of the file; undefined: as usual. */
  fault: (nth: number, asked: IncomingMessage) => { status: number; headers?: Record<string, string> } | undefined
}

/** A web server with some files, for the length of a test. */
export async function webServer(files: Record<string, Buffer>): Promise<WebServer> {
  const web: WebServer = { url: '', files, asked: [], fault: () => undefined }
  const server = createServer((request, reply) => {
    web.asked.push({ url: request.url, headers: request.headers })
    const fault = web.fault(web.asked.length, request)
    if (fault) return void reply.writeHead(fault.status, fault.headers).end()
    const bytes = web.files[new URL(request.url ?? '/', 'http://here').pathname]
    if (bytes === undefined) reply.writeHead(404).end()
    else reply.writeHead(200, { 'content-length': bytes.length }).end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  web.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return web
}
