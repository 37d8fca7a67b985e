import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChunkCache } from './chunks/chunk-cache.ts'
import type { PlansImages } from './chunks/plans-images.ts'
import type { KnownImages } from './images.ts'

/** Images in chunks and images in one file, under one quota: files need their room at once, chunks make it. */
export function allImages(files: KnownImages, chunked: PlansImages, cache: Pick<ChunkCache, 'fit'>): KnownImages {
  return {
    async fetch(image, options) {
      if ('manifest' in image && image.manifest) return chunked.fetch(image, options)
      await cache.fit(image.size ?? 0)
      const served = await files.fetch(image, options)
      await cache.fit(0)
      return served
    },
    // Chunks are checked whenever they are read.
    isSound: async (image, options) =>
      ('manifest' in image && image.manifest !== undefined) || files.isSound(image, options),
    configDrive: (drive, options) => files.configDrive(drive, options),
    async file(wanted, what, options) {
      await cache.fit(0)
      return files.file(wanted, what, options)
    },
    text: (wanted, what, most, options) => files.text(wanted, what, most, options),
    async release(plan) {
      chunked.release(plan)
      await files.release(plan)
    },
  }
}

/** Bytes of the files in a folder. */
export async function bytesIn(dir: string): Promise<number> {
  const names = await readdir(dir).catch(() => [] as string[])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
