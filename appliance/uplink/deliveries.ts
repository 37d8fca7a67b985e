import { openAsBlob } from 'node:fs'
import type { Downlink } from '../../contract/messages.ts'
import type { Clock } from '../clock.ts'

export type Place = Pick<Extract<Downlink, { kind: 'upload' }>, 'url' | 'headers'>

/** Files that the site puts where the cloud says. */
export interface Deliveries {
  /** `announce` tells the cloud of the file, by its id, again and again while the cloud is away. Rejects when it has had its attempts. */
  deliver(file: { id: string; what: string; path: string }, announce: () => void, signal: AbortSignal): Promise<void>
  /** The cloud says where the file of this id may be put. */
  place(id: string, place: Place): void
}

const PLACE_MS = 20_000
const UPLOAD_MS = 120_000
const UPLOADS = 10

export function openDeliveries(clock: Clock, send: typeof fetch): Deliveries {
  const places = new Map<string, (place: Place) => void>()

  async function put(path: string, { url, headers }: Place, stop: AbortSignal): Promise<string | undefined> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(UPLOAD_MS)])
    try {
      const reply = await send(url, { method: 'PUT', headers, body: await openAsBlob(path), signal })
      return reply.ok ? undefined : `HTTP ${reply.status}`
    } catch (error) {
      stop.throwIfAborted()
      const { cause, message } = error as Error
      return cause instanceof Error ? cause.message : message
    }
  }

  return {
    async deliver({ id, what, path }, announce, signal) {
      let why = 'the cloud gave no place for it'
      for (let attempt = 0; attempt < UPLOADS; attempt += 1) {
        const place = Promise.withResolvers<Place | undefined>()
        places.set(id, place.resolve)
        announce()
        const late = clock.sleep(PLACE_MS, signal).then(() => undefined)
        const given = await Promise.race([place.promise, late]).finally(() => places.delete(id))
        if (given === undefined) continue
        const refusal = await put(path, given, signal)
        if (refusal === undefined) return
        why = refusal
        await clock.sleep(1_000 * 2 ** Math.min(attempt, 5), signal)
      }
      throw new Error(`${what} could not be uploaded: ${why}`)
    },
    place: (id, place) => places.get(id)?.(place),
  }
}
