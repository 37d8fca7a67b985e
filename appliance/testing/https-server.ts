import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { selfSigned } from '../certificates.ts'

/** A real HTTPS server on loopback with a certificate of its own, for the length of a test. `now`: by its clock. */
export async function httpsServer(
  listener: RequestListener,
  now = new Date(),
): Promise<{ url: string; certificate: string }> {
  const pem = await selfSigned('127.0.0.1', now)
  const server = createServer({ cert: pem.certificate, key: pem.privateKey }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate: pem.certificate }
}
