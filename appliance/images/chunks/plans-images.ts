import type { ImageReference } from '../../../contract/plan-sources.ts'
import type { FetchOptions, ServedImage } from '../images.ts'
import type { ChunkCache, ChunkedImage } from './chunk-cache.ts'
import type { Want } from './objects.ts'

/** The chunked images of plans that are open. Each plan's is filled in the background while its machine still starts; what its agent asks for
 * comes first. */
export interface PlansImages {
  fetch(image: ImageReference, options: FetchOptions): Promise<ServedImage>
  /** Undefined: the plan has none, or hasn't asked for it since this program started. */
  find(plan: string): PlansImage | undefined
  release(plan: string): void
}

export interface PlansImage {
  plan: string
  image: ChunkedImage
  want(urgent: boolean, signal: AbortSignal): Want
}

interface Open extends PlansImage {
  digest: string
  done: AbortController
}

/** How far the filling is ahead of the line at most. */
const AHEAD = 32

export interface PlansImagesParts {
  serve(plan: string, manifest: string): string
  /** What agents that write this image show each other; undefined: they are to give each other nothing. */
  peerToken(manifest: string): string | undefined
  /** The plan's agent has nothing to do with its image any more. */
  left(plan: string): void
}

export function openPlansImages(cache: ChunkCache, { serve, peerToken, left }: PlansImagesParts): PlansImages {
  const open = new Map<string, Promise<Open>>()
  const ready = new Map<string, Open>()

  async function begin(reference: ImageReference, options: FetchOptions): Promise<Open> {
    const lane = options.commandOf
    const done = new AbortController()
    const want = (urgent: boolean, signal: AbortSignal): Want => ({
      lane,
      urgent,
      signal: AbortSignal.any([signal, done.signal]),
      trouble: options.trouble,
    })
    const image = await cache.open(reference, { ...want(true, options.signal), signal: options.signal })
    cache.hold(image)
    await cache.touch(image)
    const opened = { plan: lane, image, want, digest: reference.manifest!.sha256, done }
    ready.set(lane, opened)
    void fill(image, want(false, done.signal))
    return opened
  }

  async function fill(image: ChunkedImage, want: Want): Promise<void> {
    const under = new Set<Promise<unknown>>()
    for (const sha256 of image.pageOf.keys()) {
      if (want.signal.aborted) return
      if (await cache.has(sha256)) continue
      // A failure is told to the agent, when it asks for this chunk.
      const work: Promise<unknown> = cache.stored(image, sha256, want).catch(() => {})
      under.add(work)
      void work.finally(() => under.delete(work))
      if (under.size >= AHEAD) await Promise.race(under)
    }
  }

  function release(plan: string): void {
    const opened = ready.get(plan)
    open.delete(plan)
    ready.delete(plan)
    left(plan)
    if (!opened) return
    opened.done.abort(new Error('the plan has ended'))
    cache.letGo(opened.image)
  }

  return {
    async fetch(reference, options) {
      const plan = options.commandOf
      let opening = open.get(plan)
      if (!opening) {
        opening = begin(reference, options)
        open.set(plan, opening)
        opening.catch(() => open.delete(plan))
      }
      const { digest } = await opening
      const base = serve(plan, digest)
      return {
        url: `${base}/raw`,
        manifest: `${base}/manifest`,
        algorithm: 'sha256',
        digest: reference.os_hash_value,
        peerToken: peerToken(digest),
      }
    },
    find: (plan) => ready.get(plan),
    release,
  }
}
