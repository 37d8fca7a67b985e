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

export async function fetchGuarded(url: string, guard: AddressGuard, signal: AbortSignal): Promise<IncomingMessage> {
  let target = new URL(url)
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refused(`${target.protocol} is not fetched`)
    const host = bareHost(target)
    if (isIP(host) !== 0 && !guard.allows(host)) throw refused(`${host} may not be fetched from`)
    const reply = await get(target, guard, signal)
    const { statusCode: status = 0, headers } = reply
    if (status === 200) return reply
    reply.on('error', () => {}).destroy()
    const next = headers.location
    if (status < 300 || status > 399 || next === undefined) throw refused(`it was answered HTTP ${status}`)
    if (!URL.canParse(next, target.href)) throw refused('it is redirected to what is no URL')
    target = new URL(next, target)
  }
  throw refused(`it is redirected more than ${REDIRECTS} times`)
}

function get(url: URL, { lookup }: AddressGuard, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    // A connection of its own: what it is connected to was checked for this request.
    const options = { agent: false, lookup, signal, headers: { 'accept-encoding': 'identity' } } as const
    const request = send(url, options, resolve)
    request.setTimeout(STALLED_MS, () => request.destroy(new Error(`nothing came for ${STALLED_MS / 1000} s`)))
    request.on('error', reject).end()
  })
}

const refused = (why: string): UserError => new UserError(400, why)
