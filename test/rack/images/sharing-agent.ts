import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import {
  CHUNK_BYTES,
  chunkLength,
  LARGEST_STORED_CHUNK,
  PAGE_CHUNKS,
  sha256Of,
} from '../../../contract/images/manifest.ts'
import type { ImageInfo } from '../../../contract/agent.ts'
import { realClock } from '../../../agent/clock.ts'
import type { Log } from '../../../agent/log.ts'
import { openChunks } from '../../../agent/image/chunks/source.ts'
import { shuffled } from '../../../agent/image/chunks/shuffled.ts'
import { shared } from '../../../agent/image/peers/share.ts'

const unzstd = promisify(zstdDecompress)

/** An agent with its own requests, peers and order, whose disk is a file, and which unpacks and writes by itself: threads of their own for each of
 * many agents would be more than a machine has. */
export async function writeAsAgent(image: ImageInfo, path: string, lanes: number, log: Log): Promise<void> {
  const means = { trust: {}, clock: realClock, log, seconds: 60, retries: 3, retryInterval: 1, imageKeys: [] }
  await using file = await open(path, 'w+')
  const { url, peers } = image.bloomery_manifest!
  const plain = await openChunks(image, { algorithm: 'sha256', value: image.os_hash_value! }, [], means)
  const sharing = { token: peers!.token, base: url.slice(0, url.lastIndexOf('/')), address: '127.0.0.1' }
  await using source = await shared(plain, sharing, { handle: file }, means)
  const { manifest } = source
  await file.truncate(manifest.virtual_size)
  async function* chunks() {
    for (const [number, digest] of manifest.pages.entries())
      if (digest !== null)
        for (const [at, sha256] of (await source.page(number)).entries())
          if (sha256 !== null) yield { sha256, index: number * PAGE_CHUNKS + at }
  }
  const all = shuffled(chunks(), 4 * PAGE_CHUNKS, Math.random)
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const memory = new Uint8Array(LARGEST_STORED_CHUNK)
      for (let next = await all.next(); !next.done; next = await all.next()) {
        const { sha256, index } = next.value
        const length = chunkLength(manifest, index)
        const accept = async (stored: Uint8Array): Promise<boolean> => {
          const bytes = await unzstd(stored, { maxOutputLength: length }).catch(() => undefined)
          if (bytes?.length !== length || sha256Of(bytes) !== sha256) return false
          await file.write(bytes, 0, length, index * CHUNK_BYTES)
          return true
        }
        await source.chunk(sha256, { memory, accept })
        source.placed?.(sha256, index * CHUNK_BYTES, length)
      }
    }),
  )
}
