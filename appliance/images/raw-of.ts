import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { type Format, formatOf, HEAD_BYTES } from '@bloomery/image/detect.ts'
import { HardwareError } from '../hardware-error.ts'
import { toRaw } from './convert.ts'
import type { FoundImage } from './images.ts'

type Kept = Pick<FoundImage, 'name' | 'disk_format' | 'isPacked'>
interface Bounds {
  /** Bytes that a packed image may become. */
  limit: number
  signal: AbortSignal
}

/** Makes the raw disk of what the file holds, packed or qcow2, and resolves to its SHA-256; undefined where the file itself is that disk. */
export async function rawOf(from: string, to: string, image: Kept, bounds: Bounds): Promise<string | undefined> {
  const format = formatOf(await headOf(from))
  if (image.isPacked && (format === 'gzip' || format === 'zstd')) {
    const unpacked = `${to}.unpacked`
    try {
      const digest = await unpack(from, unpacked, format, image.name, bounds)
      const made = await rawOf(unpacked, to, { ...image, isPacked: false }, bounds)
      if (made !== undefined) return made
      await rename(unpacked, to)
      return digest
    } finally {
      await rm(unpacked, { force: true })
    }
  }
  // What is declared qcow2 is read as that, and refused by its reader.
  if (image.disk_format === 'qcow2' || (image.disk_format === null && format === 'qcow2'))
    return toRaw(from, to, image.name, bounds.signal)
  if (format === 'raw' || format === 'iso') return undefined
  const said = image.disk_format === null ? '' : `is declared ${image.disk_format} and `
  throw new HardwareError(`image ${image.name} ${said}is ${format}: only raw and qcow2 are written; convert it first`)
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function unpack(
  from: string,
  to: string,
  format: Format & ('gzip' | 'zstd'),
  name: string,
  { limit, signal }: Bounds,
): Promise<string> {
  const target = await open(to, 'w', 0o600)
  const hash = createHash('sha256')
  let size = 0
  try {
    await pipeline(
      createReadStream(from, { highWaterMark: 1 << 20 }),
      format === 'gzip' ? createGunzip() : createZstdDecompress(),
      async (bytes: AsyncIterable<Buffer>) => {
        for await (const part of bytes) {
          size += part.length
          if (size > limit)
            throw new HardwareError(
              `image ${name} is larger than the ${limit} bytes that this site's cache allows: raise image_cache_gib`,
            )
          hash.update(part)
          await target.writeFile(part)
        }
      },
      { signal },
    )
    await target.datasync()
    return hash.digest('hex')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (!/^(Z_|ZSTD_|ERR_ZSTD)/.test(code ?? '')) throw cause
    throw new HardwareError(`image ${name} can't be unpacked: its ${format} is damaged`, { cause })
  } finally {
    await target.close()
  }
}
