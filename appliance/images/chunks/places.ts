import { imagePlaces, type ImagePlaces, LARGEST_PLACES_TEXT, placesBlob } from '../../../contract/images/manifest.ts'
import type { ByteSource } from '../../../contract/plan-sources.ts'
import type { Clock } from '../../clock.ts'
import type { Urls } from '../../ledger/urls.ts'
import { ExpiredUrl } from '../download.ts'
import type { Want } from './objects.ts'
import { pull } from './pull.ts'

const PLACES_KEPT = 4

export interface PlacesParts {
  urls: Urls
  /** Asks the cloud for a fresh URL. */
  refresh(source: ByteSource): void
  clock: Clock
  get: typeof fetch
  received(bytes: number): void
  /** Machines fetch what they boot, and want the processors for that. */
  mustYield?: (() => boolean) | undefined
  stallMs?: number
}

/** URLs of an image's chunks, some pages of them at a time. */
export interface Places {
  what: string
  get(page: number): Promise<ImagePlaces>
  url(page: number): Promise<string>
  learn(page: number, places: ImagePlaces): void
  expired(page: number): void
}

export function openPlaces(parts: PlacesParts, uuid: string, name: string, want: Want): Places {
  const { clock, get } = parts
  const kept = new Map<number, Promise<ImagePlaces>>()
  const what = `image ${name}`
  const source = (page: number): ByteSource => ({ kind: 'blob', key: placesBlob(uuid, page) })
  const url = (page: number): Promise<string> => known(parts.urls.urlOf(source(page)))
  const keep = (page: number, places: Promise<ImagePlaces>): Promise<ImagePlaces> => {
    kept.set(page, places)
    const [oldest] = kept.keys()
    if (kept.size > PLACES_KEPT && oldest !== undefined) kept.delete(oldest)
    return places
  }
  const load = async (page: number): Promise<ImagePlaces> => {
    let found: ImagePlaces | undefined
    const job = {
      what: `the places of page ${page} of ${what}`,
      limit: LARGEST_PLACES_TEXT,
      url: () => url(page),
      expired: () => parts.refresh(source(page)),
      wanted: () => !want.signal.aborted,
      trouble: want.trouble,
      received: parts.received,
      stallMs: parts.stallMs,
      accept: (bytes: Buffer) => Promise.resolve((found = parsePlaces(bytes)) !== undefined),
    }
    await pull(job, clock, get)
    return found!
  }
  return {
    what,
    url,
    learn: (page, places) => void keep(page, Promise.resolve(places)),
    get(page) {
      const here = kept.get(page)
      if (here) return here
      const loading = load(page)
      loading.catch(() => kept.delete(page))
      return keep(page, loading)
    },
    expired(page) {
      kept.delete(page)
      parts.refresh(source(page))
    },
  }
}

export function parsePlaces(bytes: Buffer): ImagePlaces | undefined {
  try {
    return imagePlaces.safeParse(JSON.parse(bytes.toString('utf8'))).data
  } catch {
    return undefined
  }
}

export function known(url: string | undefined): Promise<string> {
  return url === undefined ? Promise.reject(new ExpiredUrl('its URL has not arrived yet')) : Promise.resolve(url)
}
