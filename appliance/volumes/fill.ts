import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { ImageReference } from '../../contract/plan-sources.ts'
import { HardwareError } from '../hardware-error.ts'
import type { FetchOptions, Images } from '../images/images.ts'

const BLOCK = 1_048_576
const zeros = Buffer.alloc(BLOCK)

/** Puts an image on a new disk, by way of the site's cache, and leaves out what is zero. */
export async function fillFromImage(
  path: string,
  image: ImageReference,
  { images, get, gib }: { images: Pick<Images, 'fetch' | 'release'>; get: typeof fetch; gib: number },
  options: FetchOptions,
): Promise<void> {
  try {
    const served = await images.fetch(image, { ...options, progress: () => {} })
    const reply = await get(served.url, { signal: options.signal })
    if (!reply.ok || !reply.body)
      throw new HardwareError(`image ${image.name} could not be read here: HTTP ${reply.status}`)
    const limit = gib * 2 ** 30
    const digest = await writeSparse(
      path,
      reply.body as unknown as AsyncIterable<Uint8Array>,
      image.name,
      limit,
      served.algorithm,
    )
    if (digest !== served.digest)
      throw new HardwareError(`image ${image.name} is not what was ordered: expected ${served.digest}, got ${digest}`)
  } finally {
    await images.release(options.commandOf)
  }
}

async function writeSparse(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  limit: number,
  algorithm: string,
): Promise<string> {
  const hash = createHash(algorithm)
  const file = await open(path, 'wx', 0o600)
  let at = 0
  try {
    for await (const part of bytes) {
      hash.update(part)
      for (let from = 0; from < part.length; from += BLOCK) {
        const block = part.subarray(from, from + BLOCK)
        if (at + block.length > limit)
          throw new HardwareError(`image ${name} is larger than the volume's ${limit / 2 ** 30} GiB`)
        if (!zeros.subarray(0, block.length).equals(block)) await writeAll(file, block, at)
        at += block.length
      }
    }
    await file.truncate(at)
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, block: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < block.length;)
    done += (await file.write(block, done, block.length - done, at + done)).bytesWritten
}
