import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transfers } from '../../../appliance/boot/transfers.ts'
import { openProcessors } from '../../../appliance/processors.ts'
import { openChunkCache } from '../../../appliance/images/chunks/chunk-cache.ts'
import { realClock } from '../../../appliance/real-clock.ts'
import type { ImageReference } from '../../../contract/plan-sources.ts'

/** A site's cache that fills with an image, and with it anew when it has all of it. */
export async function keepFilling(store: string, dir: string, transfers: Transfers): Promise<never> {
  const reference = (await (await fetch(`${store}/reference`)).json()) as ImageReference
  const want = { lane: 'filling', urgent: false, signal: new AbortController().signal, trouble: () => {} }
  const processors = openProcessors(() => performance.now())
  let pulled = 0
  setInterval(() => console.log(`pulled ${pulled}`), 100)
  for (let pass = 0; ; pass += 1) {
    const chunks = join(dir, `chunks-${process.pid}-${pass}`)
    const cache = openChunkCache({
      dir: chunks,
      quota: async () => Infinity,
      keys: [],
      urls: {
        learn: () => {},
        urlOf: (source) =>
          source.kind === 'blob' ? `${store}/${source.key.split('/').slice(2).join('/')}` : undefined,
      },
      refresh: () => {},
      clock: realClock,
      get: fetch,
      received: (bytes) => (pulled += bytes),
      mustYield: () => transfers.underWay > 0 && processors.areBusy(),
    })
    const image = await cache.open(reference, want)
    await Promise.all([...image.pageOf.keys()].map((sha256) => cache.stored(image, sha256, want)))
    await rm(chunks, { recursive: true })
  }
}
