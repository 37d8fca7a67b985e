import type { RequestListener } from 'node:http'
import type { ByteSource } from '../../contract/plan-sources.ts'
import { type Plan, stepName } from '../../contract/plan.ts'
import { stepArguments } from '../../contract/step-arguments.ts'
import { openImageSecret } from '../drivers/secrets.ts'
import type { Journal } from '../ledger/journal.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Urls } from '../ledger/urls.ts'
import type { SiteParts } from '../site-parts.ts'
import { allImages, bytesIn } from './all-images.ts'
import { openCache } from './cache.ts'
import { openChunkCache } from './chunks/chunk-cache.ts'
import { openPlansImages } from './chunks/plans-images.ts'
import { answerChunked } from './chunks/server.ts'
import { configDriveFile } from './evict.ts'
import type { Images } from './images.ts'
import { openTracker } from './peers/tracker.ts'
import { openPrefetches, type Prefetches } from './prefetches.ts'
import { imageServer } from './server.ts'
import { withRemote } from './sources/with-remote.ts'

/** All that has to do with images at a site: what steps use, what agents ask, and what is fetched beforehand. */
export interface SiteImages {
  images: Images
  listener: RequestListener
  prefetches: Prefetches
}

export interface SiteImagesParts {
  parts: SiteParts
  urls: Urls
  journal: Journal
  machines: Machines
  /** Asks the cloud for a fresh URL of this blob. */
  refresh(key: string): void
  /** A volume is being made from an image, by this command. */
  isFilling(command: string): boolean
}

export function openSiteImages({ parts, urls, journal, machines, refresh, isFilling }: SiteImagesParts): SiteImages {
  const { clock, log, identity } = parts
  const imagePaths = imageServer({
    secret: identity.sealingKey,
    isOpen: (plan) => journal.get(plan)?.state === 'open' || isFilling(plan),
    path: (file) => files.path(file),
    async chunked(plan, path, request, reply) {
      const found = chunked.find(plan)
      if (found) await answerChunked(chunkCache, found, path, request, reply, tracker)
      // This program was started anew, and the plan has not come to its image again.
      else reply.writeHead(503, { 'retry-after': '1', 'content-length': 0 }).end()
    },
  })
  const refreshImage = (source: ByteSource): void => void (source.kind === 'blob' && refresh(source.key))
  const chunkCache = openChunkCache({
    dir: parts.chunkDir,
    quota: async () => parts.imageQuota - (await bytesIn(parts.imageDir)),
    keys: parts.imageKeys,
    urls,
    refresh: refreshImage,
    clock,
    get: parts.get,
    received: (bytes) => parts.imageBytes(bytes),
    mustYield: parts.pullsMustYield,
  })
  const tracker = parts.imagePeers ? openTracker(parts.imagePeers.above, clock) : undefined
  const chunked = openPlansImages(chunkCache, {
    serve: (plan, manifest) => parts.imageUrl + imagePaths.chunkedPathOf(plan, manifest),
    peerToken: (manifest) => (tracker ? imagePaths.peerToken(manifest) : undefined),
    left: (plan) => tracker?.forget(plan),
  })
  const files = openCache({
    dir: parts.imageDir,
    quota: parts.imageQuota,
    urls,
    refresh: refreshImage,
    clock,
    get: parts.get,
    inUse: () => [
      ...machines.instanceFiles(),
      ...journal.open().flatMap(({ plan }) => [...filesOf(plan), configDriveFile(plan.id)]),
    ],
    serve: (plan, file) => parts.imageUrl + imagePaths.pathOf(plan, file),
  })
  const known = allImages(files, chunked, chunkCache)
  const prefetches = openPrefetches({
    cache: chunkCache,
    files: known,
    quota: parts.imageQuota,
    clock,
    log,
    // Of the moment: what is lost on the way is said again.
    tell: (progress) =>
      void parts.link.publish(JSON.stringify({ v: 1, kind: 'prefetch', ...progress })).catch(() => {}),
  })
  const images = withRemote(known, {
    config: parts.imageSources,
    clock,
    get: parts.get,
    machine: (plan) => journal.get(plan)?.plan.machine,
    secretOf: (machine, key) => openImageSecret(machine, key, identity),
  })
  return { images, listener: imagePaths.listener, prefetches }
}

function filesOf(plan: Plan): string[] {
  return plan.steps
    .filter((step) => stepName(step) === 'deploy.write_image')
    .flatMap(({ args }) => {
      const image = stepArguments['deploy.write_image'].safeParse(args).data?.image
      // What the site has yet to find is kept by the cache, once it is found.
      if (!image || 'place' in image) return []
      const file = `${image.os_hash_algo}-${image.os_hash_value}`
      return [file, `${file}.raw`]
    })
}
