import { HAVE_HEADER, MOST_HAVE, peerList } from '../../../contract/images/peers.ts'
import { ask, askInto } from '../../http.ts'
import { reason } from '../../log.ts'
import type { Target } from '../write.ts'
import type { Downloading } from '../download.ts'
import type { ChunkSource, Taker } from '../chunks/source.ts'
import { startPeerServer } from './serve.ts'

/** One that is silent for so long is no help. */
const PEER_SECONDS = 5
/** So often in all a peer may fail before it is left alone. */
const MOST_FAILURES = 3

export interface Sharing {
  /** Of the image. */
  token: string
  /** Under which the image's parts are at the site. */
  base: string
  /** Where this machine's peers reach it; undefined: wherever it is. */
  address?: string
}

export interface SharedSource extends ChunkSource, AsyncDisposable {}

/** The image as before, but from other agents where the site says that they have it, and to them. */
export async function shared(
  source: ChunkSource,
  { token, base, address }: Sharing,
  target: Pick<Target, 'handle'>,
  means: Downloading,
): Promise<SharedSource> {
  const server = await startPeerServer(token, target.handle, address)
  const failures = new Map<string, number>()
  const untold: string[] = []
  const fail = (peer: string, times: number): void => void failures.set(peer, (failures.get(peer) ?? 0) + times)

  /** False: none of them gave it. */
  async function fromPeers(list: Uint8Array, sha256: string, { memory, accept }: Taker): Promise<true | undefined> {
    for (const peer of peersIn(list)) {
      if ((failures.get(peer) ?? 0) >= MOST_FAILURES) continue
      try {
        const headers = { authorization: `Bearer ${token}` }
        const asking = { url: `${peer}/chunks/${sha256}`, headers, seconds: PEER_SECONDS }
        const { status, body } = await askInto(means.trust, asking, memory)
        if (status !== 200) continue // it has enough to do, or hasn't got it any more
        if (await accept(body)) return true
        fail(peer, MOST_FAILURES)
        means.log.warn('wrong bytes from a peer: it is asked no more', { peer, chunk: sha256 })
      } catch (error) {
        fail(peer, 1)
        means.log.warn('a peer gave no chunk', { peer, because: reason(error) })
      }
    }
    return undefined
  }

  return {
    ...source,
    chunk(sha256, taker) {
      const have = untold.splice(0, MOST_HAVE)
      return source.chunk(sha256, taker, {
        query: `from=${server.port}`,
        headers: have.length > 0 ? { [HAVE_HEADER]: have.join(',') } : {},
        elsewhere: (list) => fromPeers(list, sha256, taker),
      })
    },
    placed(sha256, offset, length) {
      server.offer(sha256, offset, length)
      untold.push(sha256)
    },
    async [Symbol.asyncDispose]() {
      // So that nobody waits for a machine that is about to be switched off.
      await ask(means.trust, { url: `${base}/leave`, seconds: PEER_SECONDS }).catch(() => undefined)
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The site's answer lies in memory that the chunk is to come into. */
function peersIn(list: Uint8Array): string[] {
  try {
    const text = Buffer.from(list.slice()).toString('utf8')
    return peerList.parse(JSON.parse(text)).peers
  } catch {
    return []
  }
}
