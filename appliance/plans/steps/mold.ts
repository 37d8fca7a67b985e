import { z } from 'zod'
import { HardwareError } from '../../hardware-error.ts'

/** Configurations as Ironic stores them (its "molds"): JSON at a URL that is read by GET and written by PUT, with a user and password in the URL
 * where need be. */

const LARGEST = 16 * 1024 * 1024
const TRANSFER_MS = 120_000

const mold = z.object({
  oem: z.object({ interface: z.string(), data: z.record(z.string(), z.unknown()) }),
})

export async function saveMold(url: string, implementation: string, data: object, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ oem: { interface: implementation, data } })
  const reply = await ask(url, { method: 'PUT', body, headers: { 'content-type': 'application/json' } }, signal)
  await reply.body?.cancel()
}

export async function readMold(
  url: string,
  implementation: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const reply = await ask(url, { method: 'GET' }, signal)
  const read = mold.safeParse(await jsonOf(reply, url))
  if (!read.success)
    throw new HardwareError(`what ${hostOf(url)} has is no configuration: it is {"oem": {"interface", "data"}}`)
  const { oem } = read.data
  if (oem.interface === implementation) return oem.data
  throw new HardwareError(`the configuration is for ${oem.interface.slice(0, 64)}, and this is ${implementation}`)
}

async function ask(
  url: string,
  init: { method: string; body?: string; headers?: Record<string, string> },
  signal: AbortSignal,
) {
  const target = new URL(url)
  const { username, password } = target
  target.username = target.password = ''
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = { ...init.headers, ...(username === '' ? {} : { authorization: `Basic ${login}` }) }
  const until = AbortSignal.any([signal, AbortSignal.timeout(TRANSFER_MS)])
  const reply = await fetch(target, { ...init, headers, signal: until }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new HardwareError(`the configuration's server ${hostOf(url)} can't be reached by the appliance`, {
      cause: error,
    })
  })
  if (reply.ok) return reply
  await reply.body?.cancel()
  throw new HardwareError(
    `the configuration's server ${hostOf(url)} answers ${reply.status} to ${init.method}; check the URL`,
  )
}

async function jsonOf(reply: Response, url: string): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > LARGEST) throw new HardwareError(`what ${hostOf(url)} has is larger than any configuration`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Its path or query may be a key to it. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'nowhere'
}
