import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { AddressGuard } from './address-guard.ts'
import type { Message } from './signature.ts'
import { bareHost } from './target.ts'

/** How a receiver answered. */
export type Answer =
  | { taken: true }
  | {
      taken: false
      why: string
      /** It never wants to hear of it again (RFC 9110 §15.5.11). */
      gone?: true
      /** It will hardly take this one another time: a 4xx that says nothing of time. */
      refused?: true
      /** It asks to be left in peace so long. */
      afterSeconds?: number
    }

/** How long a receiver may take, connection and all. */
export const SEND_MS = 10_000

/** Of a refusal's text so much is read, and so much kept. */
const READ_BYTES = 4096
const KEPT_LETTERS = 200

/** One POST. Redirects are not followed: they would lead around what was checked. Rejects when `stop` says that it doesn't matter any
 * more. */
export async function post(
  target: string,
  { headers, body }: Message,
  guard: AddressGuard,
  stop?: AbortSignal,
  timeoutMs = SEND_MS,
): Promise<Answer> {
  const url = new URL(target)
  const late = AbortSignal.timeout(timeoutMs)
  const signal = stop ? AbortSignal.any([late, stop]) : late
  try {
    const host = bareHost(url)
    if (isIP(host) !== 0 && !guard.allows(host)) throw new Error(`webhooks may not reach ${host}`)
    return await answerOf(await exchange(url, headers, body, guard, signal))
  } catch (error) {
    stop?.throwIfAborted()
    if (late.aborted) return { taken: false, why: `no answer within ${timeoutMs / 1000} s` }
    return { taken: false, why: reasonOf(error) }
  }
}

function exchange(
  url: URL,
  headers: Record<string, string>,
  body: string,
  { lookup }: AddressGuard,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    // A connection of its own: what it is connected to was checked for this delivery.
    const options = { method: 'POST', headers: { ...headers, ...length }, agent: false, lookup, signal } as const
    send(url, options, resolve).on('error', reject).end(body)
  })
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response
  if (status >= 200 && status < 300) {
    response.on('error', () => {}).destroy()
    return { taken: true }
  }
  const text = await firstOf(response)
  const why = `HTTP ${status}${text === '' ? '' : `: ${text}`}`
  if (status >= 300 && status < 400) return { taken: false, why: `HTTP ${status}: redirects are not followed` }
  if (status === 410) return { taken: false, why, gone: true }
  const after = Number(headers['retry-after'])
  const refused = status >= 400 && status < 500 && ![408, 425, 429].includes(status)
  return { taken: false, why, ...(refused && { refused }), ...(after > 0 && { afterSeconds: after }) }
}

async function firstOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= READ_BYTES) break // which destroys the response
  }
  const text = Buffer.concat(chunks).toString('utf8')
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, KEPT_LETTERS)
}

function reasonOf(error: unknown): string {
  // Of several addresses tried there are several reasons.
  const causes = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  return causes
    .map((each) => (each instanceof Error ? each.message : String(each)))
    .join('; ')
    .slice(0, 500)
}
