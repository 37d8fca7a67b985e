import { createHash } from 'node:crypto'
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

/** SHA-1, SHA-256 or SHA-512 by its length, as Ironic takes them. */
const algorithms: Readonly<Record<number, string>> = { 40: 'sha1', 64: 'sha256', 128: 'sha512' }

/** Asks how large it is; a server that doesn't say can't be passed through. `checksum`: its last piece is held back until that is right. */
export async function openFirmware(url: string, checksum?: string): Promise<FirmwareSource> {
  const head = await ask(url, 'HEAD', AbortSignal.timeout(HEAD_MS))
  const size = Number(head.headers.get('content-length') ?? Number.NaN)
  if (!Number.isSafeInteger(size) || size <= 0 || size > LARGEST)
    throw new HardwareError(`the firmware's server ${hostOf(url)} doesn't say a size from 1 byte to 4 GiB`)
  const read = () => (checksum === undefined ? pieces(url, size) : checked(pieces(url, size), url, checksum))
  return { size, name: new URL(url).pathname.split('/').at(-1) || 'firmware.bin', read }
}

/** For BMCs that fetch by themselves: what the server has now is what it should be. */
export async function verifyFirmware(url: string, checksum: string): Promise<void> {
  const { read } = await openFirmware(url, checksum)
  for await (const _piece of read());
}

async function* checked(from: AsyncIterable<Uint8Array>, url: string, checksum: string): AsyncGenerator<Uint8Array> {
  const algorithm = algorithms[checksum.length]
  if (algorithm === undefined)
    throw new HardwareError('a checksum of firmware is SHA-1, SHA-256 or SHA-512 in hexadecimal')
  const hash = createHash(algorithm)
  let held: Uint8Array | undefined
  for await (const piece of from) {
    if (held) yield held
    hash.update(piece)
    held = piece
  }
  const found = hash.digest('hex')
  if (found !== checksum.toLowerCase())
    throw new HardwareError(`the firmware at ${hostOf(url)} has ${algorithm} ${found}, not ${checksum.toLowerCase()}`)
  if (held) yield held
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
