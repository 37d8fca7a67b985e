import { setTimeout as sleep } from 'node:timers/promises'
import { OutcomeError } from '../usage.ts'

const TRIES = 6
const TIMEOUT_MS = 120_000

/** One PUT. Broken connections and servers' failures are tried again; a refusal is not. */
export async function uploadBytes(
  to: { url: string; headers: Record<string, string> },
  bytes: Buffer,
  what: string,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let why: string
    try {
      const reply = await fetch(to.url, {
        method: 'PUT',
        headers: to.headers,
        body: bytes as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const text = (await reply.text()).slice(0, 500)
      if (reply.ok) return
      why = `HTTP ${reply.status} ${text}`
      if (reply.status < 500) throw new OutcomeError(`the upload of ${what} was refused: ${why}`)
    } catch (error) {
      if (error instanceof OutcomeError) throw error
      why = String(error)
    }
    if (attempt === TRIES)
      throw new OutcomeError(`the upload of ${what} failed ${TRIES} times; at last: ${why}; push again to go on`)
    await sleep(500 * 2 ** attempt)
  }
}
