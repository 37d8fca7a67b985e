import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { UserError } from '../../contract/api/faults.ts'
import type { AddressGuard } from '../webhooks/address-guard.ts'
import { bareHost } from '../webhooks/target.ts'

/** A GET of what somebody else named. Where it is connected to is checked at each connection, also after a redirect. */

const REDIRECTS = 5
/** Nothing may rest for so long. */
const STALLED_MS = 60_000

/** `from`: the rest from there on, if the server sends such (206), else all of it (200). */
export async function fetchGuarded(
  url: string,
  guard: AddressGuard,
  signal: AbortSignal,
  from?: number,
): Promise<IncomingMessage> {
  let target = new URL(url)
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refused(`${target.protocol} is not fetched`)
    const host = bareHost(target)
    if (isIP(host) !== 0 && !guard.allows(host)) throw refused(`${host} may not be fetched from`)
    const reply = await get(target, guard, signal, from)
    const { statusCode: status = 0, headers } = reply
    if (status === 200 || (status === 206 && from !== undefined)) return reply
    reply.on('error', () => {}).destroy()
    // It may be able to later (RFC 9110 §15.6, RFC 6585 §4).
    if (status >= 500 || status === 429) throw new Error(`it was answered HTTP ${status}`)
    const next = headers.location
    if (status < 300 || status > 399 || next === undefined) throw refused(`it was answered HTTP ${status}`)
    if (!URL.canParse(next, target.href)) throw refused('it is redirected to what is no URL')
    target = new URL(next, target)
  }
  throw refused(`it is redirected more than ${REDIRECTS} times`)
}

function get(url: URL, { lookup }: AddressGuard, signal: AbortSignal, from?: number): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const range = from === undefined ? {} : { range: `bytes=${from}-` }
  return new Promise((resolve, reject) => {
    // A connection of its own: what it is connected to was checked for this request.
    const headers = { 'accept-encoding': 'identity', ...range }
    const request = send(url, { agent: false, lookup, signal, headers }, resolve)
    request.setTimeout(STALLED_MS, () => request.destroy(new Error(`nothing came for ${STALLED_MS / 1000} s`)))
    request.on('error', reject).end()
  })
}

const refused = (why: string): UserError => new UserError(400, why)

/** Of several addresses tried there are several reasons. */
export function reasonOf(error: unknown): string {
  const causes = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  return causes.map((each) => (each instanceof Error ? each.message : String(each))).join('; ')
}
