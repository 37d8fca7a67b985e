import type { Clock } from '../../clock.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'

const RETRY_MS = 3000
const STALL_MS = 30_000

export interface Patience {
  clock: Clock
  get: typeof fetch
  signal: AbortSignal
  /** Told when something goes wrong that may pass. */
  trouble(text: string): void
}

/** A small text over HTTP, for as long as `signal` lets it be tried. What won't change by asking again is a HardwareError. */
export async function fetchPatiently(
  what: string,
  { url, headers = {}, limit }: { url: string; headers?: Record<string, string>; limit: number },
  { clock, get, signal, trouble }: Patience,
): Promise<{ bytes: Buffer; headers: Headers }> {
  for (;;) {
    signal.throwIfAborted()
    try {
      const late = AbortSignal.any([signal, AbortSignal.timeout(STALL_MS)])
      const reply = await get(url, { headers, signal: late })
      const mayPass = reply.status >= 500 || [408, 425, 429].includes(reply.status)
      if (!reply.ok) await reply.body?.cancel()
      if (mayPass) throw new Error(`HTTP ${reply.status}`)
      if (!reply.ok)
        throw new HardwareError(`${what} can't be fetched: its server answers HTTP ${reply.status}${remedy(reply)}`)
      return { bytes: await bounded(what, reply, limit), headers: reply.headers }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof HardwareError) throw error
      trouble(`${what}: ${sentence(error)}`)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}

function remedy({ status }: Response): string {
  return status === 401 || status === 403 ? '; check its credentials' : ''
}

async function bounded(what: string, reply: Response, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > limit) throw new HardwareError(`${what} is larger than the ${limit} bytes that it may have`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
