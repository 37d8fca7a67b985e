import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { ImageError } from '@bloomery/image/error.ts'
import { openQcow2, type Piece } from '@bloomery/image/qcow2.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { HardwareError } from '../hardware-error.ts'

const ZEROS = Buffer.alloc(1024 * 1024)

/** qcow2 → raw, sparse where it holds nothing. The format is named, never guessed, and an image that refers to other files is refused: it
 * must not reach into this site's (CVE-2024-32498). Resolves to the SHA-256 of the raw bytes. */
export async function toRaw(from: string, to: string, name: string, signal: AbortSignal): Promise<string> {
  const part = `${to}.part`
  const [source, target] = [await open(from, 'r'), await open(part, 'w', 0o600)]
  try {
    const disk = await openQcow2(await fileAccess(source))
    await target.truncate(disk.size)
    const hash = createHash('sha256')
    for await (const piece of disk.pieces()) {
      signal.throwIfAborted()
      await place(target, piece)
      if (piece.data) hash.update(piece.data)
      else await hashZeros(hash, piece.length, signal)
    }
    await target.datasync()
    await rename(part, to)
    return hash.digest('hex')
  } catch (cause) {
    if (!(cause instanceof ImageError)) throw cause
    throw new HardwareError(`image ${name} can't be converted from qcow2: ${cause.message}`, {
      cause,
    })
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

async function place(target: FileHandle, { offset, data }: Piece): Promise<void> {
  if (!data) return
  let written = 0
  while (written < data.length) {
    written += (await target.write(data, written, data.length - written, offset + written)).bytesWritten
  }
}

/** Holes may be terabytes: others get their turn, and it can be stopped. */
async function hashZeros(hash: Hash, length: number, signal: AbortSignal): Promise<void> {
  for (let left = length; left > 0; left -= ZEROS.length) {
    hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)))
    await setImmediate()
    signal.throwIfAborted()
  }
}
