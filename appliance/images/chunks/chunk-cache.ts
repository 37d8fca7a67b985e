import { canonical } from '../../../contract/images/canonical.ts'
import {
  chunksOnPage,
  type ImageManifest,
  type ImagePage,
  imagePage,
  type ImagePlaces,
  LARGEST_PLACES_TEXT,
  LARGEST_STORED_CHUNK,
  pageDigest,
} from '../../../contract/images/manifest.ts'
import { readPatch } from '../../../contract/images/patch.ts'
import { readManifest, UnacceptableManifest } from '../../../contract/images/signature.ts'
import type { ImageReference } from '../../../contract/plan-sources.ts'
import { HardwareError } from '../../hardware-error.ts'
import { openObjectStore } from './object-store.ts'
import { openObjects, type Want } from './objects.ts'
import { openPatched } from './patched.ts'
import { known, openPlaces, parsePlaces, type Places, type PlacesParts } from './places.ts'
import { digestOf, isStored, unpack } from './unpack.ts'

/** Chunks of images at this site. Each crosses the WAN once, however many ask for it at once, is checked as it comes, and stays compressed. */
export interface ChunkCache {
  /** What the image is made of, with all its pages here. Rejects with HardwareError. */
  open(image: ImageReference, want: Want): Promise<ChunkedImage>
  /** Stored bytes that are here, in memory of the caller's own. */
  here(sha256: string): Promise<Buffer | undefined>
  /** Its stored bytes, which others may be given too. Rejects with HardwareError. */
  stored(image: ChunkedImage, sha256: string, want: Want): Promise<Buffer>
  /** What it holds. */
  plain(image: ChunkedImage, sha256: string, want: Want): Promise<Buffer>
  /** An agent got wrong bytes of it. */
  doubt(sha256: string): Promise<void>
  has(sha256: string): Promise<boolean>
  hold(image: ChunkedImage): void
  letGo(image: ChunkedImage): void
  touch(image: ChunkedImage): Promise<void>
  /** Makes room for `more` bytes of others under the quota. */
  fit(more: number): Promise<void>
}

export interface ChunkedImage {
  name: string
  /** The signed manifest as it came, and its digest. */
  text: Buffer
  digest: string
  manifest: ImageManifest
  /** One for each page of the manifest. */
  pages: Array<ImagePage | null>
  /** On which page each chunk is first. */
  pageOf: ReadonlyMap<string, number>
  places(page: number): Promise<ImagePlaces>
  placesExpired(page: number): void
}

export interface ChunkCacheParts extends PlacesParts {
  dir: string
  quota(): Promise<number>
  keys: readonly string[]
}

const PAGES_AT_ONCE = 8

export function openChunkCache(parts: ChunkCacheParts): ChunkCache {
  const store = openObjectStore({
    dir: parts.dir,
    quota: parts.quota,
    now: () => parts.clock.now().getTime(),
    async check(name, bytes) {
      const [kind = '', sha256 = ''] = name.split('-')
      return kind === 'chunk' ? await isStored(sha256, bytes) : (await digestOf(bytes)) === sha256
    },
  })

  const { bring } = openObjects(store, parts)
  const patched = openPatched((sha256, bytes) => store.put(`chunk-${sha256}`, bytes))

  async function open(image: ImageReference, want: Want): Promise<ChunkedImage> {
    const { manifest: stored, source, name } = image
    if (!stored || source.kind !== 'blob') throw new HardwareError(`image ${name} is not one in chunks`)
    const text = await bring(`text-${stored.sha256}`, want, {
      what: `the manifest of image ${name}`,
      limit: stored.size,
      url: () => known(parts.urls.urlOf(source)),
      expired: () => parts.refresh(source),
      keep: async (bytes) => ((await digestOf(bytes)) === stored.sha256 ? bytes : undefined),
    })
    const manifest = manifestIn(text, image, parts.keys)
    const uuid = source.key.split('/')[1] ?? ''
    const placesOf = openPlaces(parts, uuid, name, want)
    const numbers = manifest.pages.flatMap((digest, page) => (digest === null ? [] : [{ digest, page }]))
    // All URLs are asked for at once; they come in few messages.
    for (const { digest, page } of numbers) if (!(await store.has(`text-${digest}`))) placesOf.expired(page)
    const pages: Array<ImagePage | null> = manifest.pages.map(() => null)
    const pageOf = new Map<string, number>()
    for (let at = 0; at < numbers.length; at += PAGES_AT_ONCE)
      await Promise.all(
        numbers.slice(at, at + PAGES_AT_ONCE).map(async ({ digest, page }) => {
          pages[page] = await bringPage(digest, page, chunksOnPage(manifest, page), placesOf, want)
        }),
      )
    for (const [page, chunks] of pages.entries())
      for (const chunk of chunks ?? []) if (chunk !== null && !pageOf.has(chunk)) pageOf.set(chunk, page)
    return {
      name,
      text,
      digest: stored.sha256,
      manifest,
      pages,
      pageOf,
      places: placesOf.get,
      placesExpired: placesOf.expired,
    }
  }

  async function bringPage(
    digest: string,
    page: number,
    count: number,
    places: Places,
    want: Want,
  ): Promise<ImagePage> {
    const text = await bring(`text-${digest}`, want, {
      what: `page ${page} of ${places.what}`,
      limit: LARGEST_PLACES_TEXT,
      url: () => places.url(page),
      expired: () => places.expired(page),
      async keep(bytes) {
        const found = parsePlaces(bytes)
        if (!found || pageDigest(found.chunks) !== digest || found.chunks.length !== count) return undefined
        places.learn(page, found)
        return Buffer.from(canonical(found.chunks))
      },
    })
    return imagePage.parse(JSON.parse(text.toString('utf8')))
  }

  function stored(image: ChunkedImage, sha256: string, want: Want): Promise<Buffer> {
    const page = image.pageOf.get(sha256)
    if (page === undefined) return Promise.reject(new HardwareError(`image ${image.name} has no chunk ${sha256}`))
    return patched.whole(sha256, want, (each) => bringStored(image, page, each, want))
  }

  function bringStored(image: ChunkedImage, page: number, sha256: string, want: Want): Promise<Buffer> {
    return bring(`chunk-${sha256}`, want, {
      what: `chunk ${sha256.slice(0, 12)} of image ${image.name}`,
      limit: LARGEST_STORED_CHUNK,
      url: async () => known((await image.places(page)).urls[sha256]),
      expired: () => image.placesExpired(page),
      keep: async (bytes) => (readPatch(bytes) || (await isStored(sha256, bytes)) ? bytes : undefined),
      passing: (bytes) => readPatch(bytes) !== undefined,
    })
  }

  const namesOf = function* ({ pageOf, manifest }: ChunkedImage): Generator<string> {
    for (const digest of manifest.pages) if (digest !== null) yield `text-${digest}`
    for (const sha256 of pageOf.keys()) yield `chunk-${sha256}`
  }
  return {
    open,
    here: (sha256) => store.get(`chunk-${sha256}`),
    stored,
    async plain(image, sha256, want) {
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const found = await unpack(sha256, await stored(image, sha256, want))
        if (found) return found
        await store.doubt(`chunk-${sha256}`)
      }
      throw new HardwareError(
        `chunk ${sha256.slice(0, 12)} of image ${image.name} can't be read back from this site's disk`,
      )
    },
    doubt: (sha256) => store.doubt(`chunk-${sha256}`),
    has: (sha256) => store.has(`chunk-${sha256}`),
    hold: (image) => store.hold(namesOf(image)),
    letGo: (image) => store.letGo(namesOf(image)),
    touch: (image) => store.touch(namesOf(image)),
    fit: store.fit,
  }
}

function manifestIn(text: Buffer, image: ImageReference, keys: readonly string[]): ImageManifest {
  try {
    const manifest = readManifest(text.toString('utf8'), keys)
    if (manifest.sha256 !== image.os_hash_value || manifest.virtual_size !== image.size)
      throw new UnacceptableManifest('its manifest is of another disk than was ordered')
    return manifest
  } catch (error) {
    if (error instanceof UnacceptableManifest)
      throw new HardwareError(`image ${image.name} can't be used: ${error.message}`, { cause: error })
    throw error
  }
}
