import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Pem } from '../certificates.ts'

/** Where agents get images: plain, as they verify every byte by digests that came over the door's TLS; or by TLS alone, for those whose images
 * are secret, at the price of both ends' processors. */
export function imagesListener(images: RequestListener, pem: Pem | undefined): Server {
  if (!pem) return createServer(images)
  return createTlsServer({ cert: pem.certificate, key: pem.privateKey, minVersion: 'TLSv1.2' }, images)
}
