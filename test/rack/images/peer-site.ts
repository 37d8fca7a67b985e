import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { chunkBlob, manifestBlob, pageBlob, placesBlob, sha256Of } from '../../../contract/images/manifest.ts'
import { type MadeImage, placesOf } from '../../../contract/images/testing.ts'
import type { ImageReference } from '../../../contract/plan-sources.ts'
import type { Clock } from '../../../appliance/clock.ts'
import type { ImageInfo } from '../../../contract/agent.ts'
import { openChunkCache } from '../../../appliance/images/chunks/chunk-cache.ts'
import { openPlansImages } from '../../../appliance/images/chunks/plans-images.ts'
import { answerChunked } from '../../../appliance/images/chunks/server.ts'
import { openTracker } from '../../../appliance/images/peers/tracker.ts'
import { imageServer } from '../../../appliance/images/server.ts'
import { realClock } from '../../../appliance/real-clock.ts'

/** A site's real cache, tracker and server of one image in chunks, and a store that counts what it gives. */
export interface PeerSite {
  port: number
  /** Bytes that the store gave, and that the site gave to agents as chunks. */
  readonly fromStore: number
  readonly toAgents: number
  /** What the plan's agent is told; `via`: through which port it reaches the site. */
  infoFor(plan: string, via?: number): Promise<ImageInfo>
  close(): Promise<void>
}

export interface PeerSiteOptions {
  dir: string
  /** Peers help each other above so many. */
  above: number
  quota?: number
  keys?: string[]
  /** Of the site's: no waiting between attempts, unless said. */
  clock?: Clock
  stallMs?: number
  /** In place of the store's answer; undefined: as usual. */
  fault?: (path: string, bytes: Buffer, signal: AbortSignal) => Promise<Response> | undefined
  /** The URL of this blob is asked for anew. */
  refresh?: (key: string) => void
}

export async function openPeerSite(image: MadeImage, options: PeerSiteOptions): Promise<PeerSite> {
  const { dir, above, quota = Infinity, keys = [], clock = realClock, stallMs, fault, refresh } = options
  const objects = new Map<string, Buffer>([[manifestBlob('i'), Buffer.from(image.text)]])
  for (const [sha256, stored] of image.chunks) objects.set(chunkBlob(sha256), stored)
  for (const [number, page] of image.pages.entries()) {
    objects.set(
      placesBlob('i', number),
      Buffer.from(JSON.stringify(placesOf(page, (sha256) => `https://s/${chunkBlob(sha256)}`))),
    )
    objects.set(pageBlob('i', number), Buffer.from(JSON.stringify(page)))
  }
  let fromStore = 0
  let toAgents = 0
  const cache = openChunkCache({
    dir,
    quota: async () => quota,
    keys,
    ...(stallMs !== undefined && { stallMs }),
    urls: { learn: () => {}, urlOf: (source) => (source.kind === 'blob' ? `https://s/${source.key}` : undefined) },
    refresh: (source) => source.kind === 'blob' && refresh?.(source.key),
    clock,
    async get(url, init) {
      const path = new URL(url as string).pathname.slice(1)
      const found = objects.get(path)
      const wrong = found && (await fault?.(path, found, init!.signal!))
      return wrong ?? new Response(found && new Uint8Array(found), { status: found ? 200 : 404 })
    },
    received: (bytes) => (fromStore += bytes),
  })
  const tracker = openTracker(above, realClock)
  const paths = imageServer({
    secret: 'secret',
    isOpen: () => true,
    path: (file) => file,
    chunked: (plan, path, request, reply) => answerChunked(cache, plans.find(plan)!, path, request, reply, tracker),
  })
  const server: Server = createServer((request, reply) => {
    const end = reply.end.bind(reply) as (bytes?: Buffer) => typeof reply
    reply.end = ((bytes?: Buffer) => {
      if (reply.statusCode === 200 && request.url?.includes('/chunks/')) toAgents += bytes?.length ?? 0
      return end(bytes)
    }) as typeof reply.end
    paths.listener(request, reply)
  })
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const plans = openPlansImages(cache, {
    serve: (plan, manifest) => paths.chunkedPathOf(plan, manifest),
    peerToken: paths.peerToken,
    left: tracker.forget,
  })
  const reference: ImageReference = {
    name: 'image',
    source: { kind: 'blob', key: manifestBlob('i') },
    size: image.manifest.virtual_size,
    disk_format: 'raw',
    os_hash_algo: 'sha256',
    os_hash_value: image.manifest.sha256,
    manifest: { size: image.text.length, sha256: sha256Of(image.text) },
  }
  return {
    port,
    get fromStore() {
      return fromStore
    },
    get toAgents() {
      return toAgents
    },
    async infoFor(plan, via = port) {
      const options = { commandOf: plan, signal: AbortSignal.timeout(120_000), trouble: () => {} }
      const served = await plans.fetch(reference, options)
      const base = `http://127.0.0.1:${via}`
      return {
        id: 'image',
        urls: [base + served.url],
        os_hash_algo: served.algorithm,
        os_hash_value: served.digest,
        bloomery_manifest: {
          url: base + served.manifest!,
          sha256: reference.manifest!.sha256,
          peers: { token: served.peerToken! },
        },
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
