import { MOST_PEERS } from '../../../contract/images/peers.ts'
import type { Clock } from '../../clock.ts'

/** Which agent has which chunks of an image. It knows what they say with each chunk that they ask for. */
export interface Tracker {
  /** Whom to ask instead: nobody, while so few write this image that the site can give it to each. */
  others(asker: Asker, sha256: string): string[]
  forget(plan: string): void
}

export interface Asker {
  /** Of its manifest. */
  image: string
  plan: string
  /** Where it gives chunks to others. */
  url: string
  /** What it has since it asked last. */
  have: readonly string[]
}

interface Peer {
  url: string
  have: Set<string>
  /** How often it was named. */
  named: number
  heard: number
}

/** Of an agent: 64 GiB of chunks. */
const MOST_CHUNKS = 65_536
/** One that asks for nothing has all, or is off. */
const SILENT_MS = 60_000

export function openTracker(above: number, clock: Pick<Clock, 'now'>): Tracker {
  const images = new Map<string, Map<string, Peer>>()
  return {
    others({ image, plan, url, have }, sha256) {
      const now = clock.now().getTime()
      const peers = images.get(image) ?? new Map<string, Peer>()
      images.set(image, peers)
      const asker = peers.get(plan) ?? { url, have: new Set(), named: 0, heard: now }
      peers.set(plan, asker)
      // The agent was started anew: what it had, it offers no more.
      if (asker.url !== url) Object.assign(asker, { url, have: new Set() })
      asker.heard = now
      for (const each of have) if (asker.have.size < MOST_CHUNKS) asker.have.add(each)
      const alive = [...peers.values()].filter(({ heard }) => now - heard < SILENT_MS)
      if (alive.length <= above) return []
      const named = alive
        .filter((peer) => peer !== asker && peer.have.has(sha256))
        .sort((a, b) => a.named - b.named)
        .slice(0, MOST_PEERS)
      if (named[0]) named[0].named += 1
      return named.map((peer) => peer.url)
    },
    forget(plan) {
      for (const [image, peers] of images) {
        peers.delete(plan)
        if (peers.size === 0) images.delete(image)
      }
    },
  }
}
