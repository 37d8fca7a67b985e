import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressGuard } from '../webhooks/address-guard.ts'
import { bareHost } from '../webhooks/target.ts'
import type { ApiCall } from './actions.ts'

const PAUSE_MS = 300
const again = new Set([429, 500, 502, 503, 504])

/** A GET of somebody else's API; undefined: it was answered. The address that is connected to was checked, as webhooks' is: the public
 * Internet, and the operator's `networks`. */
export async function callApi(
  call: ApiCall,
  networks: readonly string[],
  until: AbortSignal,
): Promise<string | undefined> {
  let why = await once(call, networks, until)
  for (let retry = 0; retry < call.retries && why?.retry && !until.aborted; retry += 1) {
    await sleep(PAUSE_MS * 2 ** retry)
    why = await once(call, networks, until)
  }
  return why?.text
}

/** All calls of one inventory: whoever handles it has half a minute. */
export const CALLS_MS = 20_000

async function once(
  { url, headers, timeout }: ApiCall,
  networks: readonly string[],
  until: AbortSignal,
): Promise<{ text: string; retry: boolean } | undefined> {
  const target = new URL(url)
  const guard = addressGuard(networks)
  const host = bareHost(target)
  if (isIP(host) !== 0 && !guard.allows(host))
    return { text: `${host} is no public address, and in no network that inspection rules may reach`, retry: false }
  const signal = AbortSignal.any([AbortSignal.timeout(timeout * 1000), until])
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const options = { headers, agent: false, lookup: guard.lookup, signal } as const
  return new Promise((resolve) => {
    send(target, options, (reply) => {
      const status = reply.statusCode ?? 0
      reply.on('error', () => {}).destroy()
      resolve(status >= 200 && status < 300 ? undefined : { text: `HTTP ${status}`, retry: again.has(status) })
    })
      .on('error', (error) => resolve({ text: reasonOf(error, until), retry: true }))
      .end()
  })
}

function reasonOf(error: Error, until: AbortSignal): string {
  if (until.aborted) return `all calls of the rules took longer than ${CALLS_MS / 1000} s`
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'no answer in time' : error.message
}
