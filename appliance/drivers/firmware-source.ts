import { HardwareError } from '../hardware-error.ts'

/** Firmware that the appliance fetches for a BMC that takes it by push only. Nothing of it is kept: it passes through. */
export interface FirmwareSource {
  size: number
  name: string
  read(): AsyncIterable<Uint8Array>
}

const LARGEST = 4 * 2 ** 30
const HEAD_MS = 30_000
/** Between two pieces. */
const SILENCE_MS = 60_000

/** Asks how large it is; a server that doesn't say can't be passed through. */
export async function openFirmware(url: string): Promise<FirmwareSource> {
  const head = await ask(url, 'HEAD', AbortSignal.timeout(HEAD_MS))
  const size = Number(head.headers.get('content-length') ?? Number.NaN)
  if (!Number.isSafeInteger(size) || size <= 0 || size > LARGEST)
    throw new HardwareError(`the firmware's server ${hostOf(url)} doesn't say a size from 1 byte to 4 GiB`)
  return { size, name: new URL(url).pathname.split('/').at(-1) || 'firmware.bin', read: () => pieces(url, size) }
}

async function* pieces(url: string, size: number): AsyncGenerator<Uint8Array> {
  const ended = new AbortController()
  let timer = setTimeout(() => ended.abort(), SILENCE_MS)
  try {
    const reply = await ask(url, 'GET', ended.signal)
    let left = size
    for await (const piece of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
      clearTimeout(timer)
      timer = setTimeout(() => ended.abort(), SILENCE_MS)
      left -= piece.length
      if (left < 0) throw new HardwareError(`the firmware's server ${hostOf(url)} sends more than it said`)
      yield piece
    }
    if (left > 0) throw new HardwareError(`the firmware's server ${hostOf(url)} sends less than it said`)
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
}

async function ask(url: string, method: string, signal: AbortSignal): Promise<Response> {
  const reply = await fetch(url, { method, signal }).catch((error: unknown) => {
    throw new HardwareError(`the firmware can't be fetched from ${hostOf(url)}; can the appliance reach it?`, {
      cause: error,
    })
  })
  if (reply.ok) return reply
  await reply.body?.cancel()
  throw new HardwareError(`the firmware's server ${hostOf(url)} answers ${reply.status}; check the URL`)
}

/** Its path or query may be a key to it. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'nowhere'
}
