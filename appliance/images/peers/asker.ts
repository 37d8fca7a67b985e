import type { IncomingMessage } from 'node:http'
import { digest } from '../../../contract/images/manifest.ts'
import { HAVE_HEADER, MOST_HAVE } from '../../../contract/images/peers.ts'
import type { Asker } from './tracker.ts'

/** What an agent says of itself when it asks for a chunk; undefined: it takes none from others, now or at all. */
export function askerIn(request: IncomingMessage, image: string, plan: string): Asker | undefined {
  const port = new URL(request.url ?? '/', 'http://site').searchParams.get('from') ?? ''
  const address = request.socket.remoteAddress
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535 || address === undefined) return undefined
  // Of a socket for both, IPv4 addresses are IPv6 ones (RFC 4291 §2.5.5.2); a link-local one has its interface, which is not the others'.
  const host = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  const named = String(request.headers[HAVE_HEADER] ?? '').split(',', MOST_HAVE)
  return {
    image,
    plan,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    have: named.filter((each) => digest.safeParse(each).success),
  }
}
