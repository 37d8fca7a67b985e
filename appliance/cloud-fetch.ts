import { Readable } from 'node:stream'
import { rootCertificates } from 'node:tls'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

const CONNECT_MS = 30_000
const REDIRECTS = 5

/** GET as `fetch`, trusting the site's own authorities beside the public ones: blobs of a standalone cloud are signed by its own. */
export function cloudFetch(authorities: string): typeof fetch {
  const ca = [...rootCertificates, authorities]
  const get = (
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    left: number,
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const ask = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
        url,
        { headers, signal, ...(url.protocol === 'https:' && { ca }), timeout: CONNECT_MS },
        (reply) => {
          const { statusCode: status = 0, headers: got } = reply
          if (status >= 300 && status < 400 && got.location !== undefined) {
            reply.resume()
            if (left === 0) reject(new Error('too many redirects'))
            else resolve(get(new URL(got.location, url), headers, signal, left - 1))
            return
          }
          const body = status === 204 || status === 304 ? null : (Readable.toWeb(reply) as ReadableStream<Uint8Array>)
          const kept = Object.entries(got).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, String(value)] as [string, string]],
          )
          resolve(new Response(body, { status, headers: kept }))
        },
      )
      ask.on('timeout', () => ask.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)))
      ask.on('error', reject)
      ask.end()
    })
  return (input, init) => {
    const headers = Object.fromEntries(new Headers(init?.headers).entries())
    const url = new URL(input instanceof Request ? input.url : input)
    return get(url, headers, init?.signal ?? undefined, REDIRECTS)
  }
}
