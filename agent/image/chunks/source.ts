import type { ImageInfo } from '../../../contract/agent.ts'
import {
  chunksOnPage,
  type ImageManifest,
  type ImagePage,
  imagePage,
  LARGEST_MANIFEST_TEXT,
  LARGEST_PAGE_TEXT,
  pageDigest,
  sha256Of,
} from '../../../contract/images/manifest.ts'
import { ELSEWHERE } from '../../../contract/images/peers.ts'
import { readManifest, UnacceptableManifest } from '../../../contract/images/signature.ts'
import { CommandFailure } from '../../failure.ts'
import { askInto } from '../../http.ts'
import { reason, withoutSecrets } from '../../log.ts'
import type { Digest } from '../digest.ts'
import type { Downloading } from '../download.ts'
import type { Question } from './place-thread.ts'
import type { Placed } from './placers.ts'

/** Where an image in chunks comes from: its manifest, and beside that its pages and chunks. Manifest and pages are verified here, chunks by who
 * takes them. */
export interface ChunkSource {
  manifest: ImageManifest
  page(page: number): Promise<ImagePage>
  /** Brings the chunk's stored bytes to who takes them, as often as it takes until they are right. */
  chunk(sha256: string, taker: Taker, more?: MoreAsked): Promise<void>
  /** Told of each chunk that is on the disk, where others may get it from there. */
  placed?(sha256: string, offset: number, length: number): void
}

export interface Taker {
  /** Where stored bytes come to lie. */
  memory: Uint8Array
  /** False: they aren't the chunk. */
  accept(stored: Uint8Array): Promise<boolean>
  /** Fetches by itself, at less expense, what comes by plain HTTP and at once. */
  fetch?(question: Question): Promise<Placed>
}

/** What is said to the site with the question, and what is made of its answer that others have the chunk. */
export interface MoreAsked {
  query: string
  headers: Record<string, string>
  /** Undefined: they didn't give it. */
  elsewhere(answer: Uint8Array): Promise<true | undefined>
}

/** So long the site may say that it has not got a chunk itself yet: its line to the cloud may be cut. */
const PATIENCE_MS = 3_600_000
const WAIT_MS = 1000
const WRONG = 3

export async function openChunks(
  image: ImageInfo,
  expected: Digest,
  keys: readonly string[],
  means: Downloading,
): Promise<ChunkSource> {
  const { url, sha256: digest } = image.bloomery_manifest!
  const base = url.slice(0, url.lastIndexOf('/'))
  const text = await fetched(image.id, url, new Uint8Array(LARGEST_MANIFEST_TEXT), means, (bytes) =>
    sha256Of(bytes) === digest ? textOf(bytes) : undefined,
  )
  const manifest = accepted(image.id, text, keys)
  if (manifest.sha256 !== expected.value) throw unusable(image.id, 'its manifest is of another disk than was ordered')
  return {
    manifest,
    page: (page) =>
      fetched(image.id, `${base}/pages/${page}`, new Uint8Array(LARGEST_PAGE_TEXT), means, (bytes) =>
        parsePage(textOf(bytes), manifest, page),
      ),
    async chunk(sha256, taker, more) {
      const right = async (stored: Uint8Array) => ((await taker.accept(stored)) ? true : undefined)
      const url = `${base}/chunks/${sha256}`
      // Whatever goes wrong here, the site itself is asked next, as often as it takes.
      const first = await asked(more ? `${url}?${more.query}` : url, more?.headers ?? {}, taker, means)
      if (first.right) return
      const { status, length } = first.answered ?? { status: 0, length: 0 }
      if (status === ELSEWHERE && (await more?.elsewhere(taker.memory.subarray(0, length)))) return
      if (first.missed !== undefined)
        means.log.warn('download interrupted', { image: image.id, url: withoutSecrets(url), because: first.missed })
      await fetched(image.id, url, taker.memory, means, right, first.right === false ? 1 : 0)
    },
  }
}

/** The first question, by whoever takes the answer if that one can. */
async function asked(
  url: string,
  headers: Record<string, string>,
  taker: Taker,
  { trust, seconds }: Downloading,
): Promise<Placed> {
  const { protocol, hostname, host, port, pathname, search } = new URL(url)
  if (taker.fetch && protocol === 'http:')
    return taker.fetch({
      host: hostname.replaceAll(/[[\]]/g, ''),
      port: Number(port || 80),
      authority: host,
      path: pathname + search,
      headers,
      seconds,
    })
  try {
    const { status, body } = await askInto(trust, { url, headers, seconds }, taker.memory)
    return status === 200 ? { right: await taker.accept(body) } : { answered: { status, length: body.length } }
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    return { missed: reason(error) }
  }
}

/** One reply, verified. Broken connections are tried again, wrong bytes a few times, and a site that hasn't got it yet is waited for. */
async function fetched<T>(
  id: string,
  url: string,
  memory: Uint8Array,
  means: Downloading,
  accept: (bytes: Uint8Array) => T | undefined | Promise<T | undefined>,
  wrongBefore = 0,
): Promise<T> {
  const begun = means.clock.now()
  for (let failures = 0, wrong = wrongBefore; ;) {
    try {
      const again = wrong > 0 ? '?again' : ''
      const { status, body } = await askInto(means.trust, { url: url + again, seconds: means.seconds }, memory)
      const good = status === 200 ? await accept(body) : undefined
      if (good !== undefined) return good
      if (status === 503 && means.clock.now() - begun < PATIENCE_MS) {
        await means.clock.sleep(WAIT_MS)
        continue
      }
      if (status !== 200 && status < 500) throw unusable(id, `${withoutSecrets(url)} was answered ${status}`)
      if (status === 502) throw unusable(id, textOf(body.subarray(0, 500)).replaceAll(/[^\x20-\x7e]/g, '?'))
      if (status !== 200) throw new Error(`the server answered ${status}`)
      wrong += 1
      if (wrong === WRONG) throw unusable(id, `${withoutSecrets(url)} gives bytes that fail verification`)
      means.log.warn('wrong bytes', { image: id, url: withoutSecrets(url) })
    } catch (error) {
      if (error instanceof CommandFailure) throw error
      failures += 1
      if (failures > means.retries)
        throw new CommandFailure('ImageDownloadError', `image ${id}: ${withoutSecrets(url)} can't be had`, {
          cause: error,
        })
      means.log.warn('download interrupted', { image: id, url: withoutSecrets(url), because: reason(error) })
      await means.clock.sleep(means.retryInterval * 1000)
    }
  }
}

function accepted(id: string, text: string, keys: readonly string[]): ImageManifest {
  try {
    return readManifest(text, keys)
  } catch (error) {
    if (error instanceof UnacceptableManifest) throw unusable(id, error.message)
    throw error
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function parsePage(text: string, manifest: ImageManifest, page: number): ImagePage | undefined {
  try {
    const found = imagePage.safeParse(JSON.parse(text)).data
    if (!found || found.length !== chunksOnPage(manifest, page)) return undefined
    return pageDigest(found) === manifest.pages[page] ? found : undefined
  } catch {
    return undefined
  }
}

function unusable(id: string, why: string): CommandFailure {
  return new CommandFailure('ImageDownloadError', `image ${id} can't be used: ${why}`)
}
