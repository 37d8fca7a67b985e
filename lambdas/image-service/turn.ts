import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../contract/api/faults.ts'
import type { BlobParts, Platform } from '../platform.ts'
import { imageBlob } from '../store/images.ts'
import type { AddressGuard } from '../webhooks/address-guard.ts'
import { isSameFile, offered } from './byte-range.ts'
import { failed } from './failed.ts'
import { fetchGuarded, reasonOf } from './fetch.ts'
import { hold, type Importing, release, TurnLost, whileHeld } from './hold.ts'
import { activate } from './receive.ts'
import { findEntry } from './records.ts'
import { roomFor } from './room.ts'
import { PART_BYTES, StoredParts } from './stored-parts.ts'

/** Fetches an image where no process lives as long as that takes: each goes on from what the one before it stored. */

export interface Turn extends Pick<Platform, 'table' | 'blobs' | 'clock' | 'ids' | 'log'> {
  guard: AddressGuard
  /** Aborted when it is time to hand on. */
  end: AbortSignal
  partBytes?: number
  /** Between one attempt and the next. */
  restMs?: number
}

/** In parts of 64 MiB that is what an image's record has room to name, with room for shorter ones. */
export const LARGEST = 128 * 1024 ** 3
export const LONGEST_MS = 6 * 3600 * 1000
const TRIES = 3
const REST_MS = 2000

/** The server's fault, or the network's; it may be over in a moment. */
class Broken extends Error {
  override readonly name = 'Broken'
}

/** False: there is more to fetch, in another turn. Rejects where something of ours failed. */
export async function takeTurn(turn: Turn, image: string): Promise<boolean> {
  const { parts } = turn.blobs
  if (!parts) throw new Error('this blob store takes no blobs in parts')
  const holder = turn.ids.uuid()
  const record = await hold(turn, image, holder)
  if (!record) return true
  const fetching = new Fetching(turn, parts, record, holder)
  try {
    return await fetching.run()
  } catch (error) {
    if (error instanceof TurnLost) return true
    if (!(error instanceof UserError)) throw error
    await fetching.abort()
    const why = `${new URL(record.download.url).host}: ${error.message}`
    if (await findEntry(turn.table, image)) await failed(turn, image, why)
    return true
  } finally {
    await release(turn, image, holder)
  }
}

class Fetching {
  readonly #turn: Turn
  readonly #blobs: BlobParts
  readonly #record: Importing
  readonly #holder: string
  #parts: StoredParts | undefined
  #hasRanges = true

  constructor(turn: Turn, blobs: BlobParts, record: Importing, holder: string) {
    this.#turn = turn
    this.#blobs = blobs
    this.#record = record
    this.#holder = holder
  }

  async run(): Promise<boolean> {
    const { clock, end, partBytes = PART_BYTES, restMs = REST_MS } = this.#turn
    const { begun_at, stored } = this.#record.download
    if (stored) this.#parts = await StoredParts.resume(this.#blobs, this.#record, stored, partBytes)
    if (clock.now().getTime() - Date.parse(begun_at) > LONGEST_MS)
      throw new UserError(400, `it did not come within ${LONGEST_MS / 3_600_000} hours, but ${this.#came()}`)
    const first = this.#stored()
    for (let tries = 0; ;) {
      const before = this.#stored()
      const why = await this.#fill()
      if (why === undefined) return this.#complete()
      if (!this.#hasRanges && end.aborted)
        throw new UserError(
          400,
          `it sends no byte ranges (RFC 9110 §14), so that all of it has to come in one turn of a function, and ${this.#came()}: take another server, or \`bloomery image push\``,
        )
      if (!this.#hasRanges) await this.#forget()
      else await this.#keep()
      tries = this.#stored() > before ? 0 : tries + 1
      if (end.aborted && this.#stored() === first)
        throw new UserError(400, `it is too slow: nothing that could be kept came in one turn, ${this.#came()} in all`)
      if (end.aborted) return false
      if (tries === TRIES) throw new UserError(400, why)
      await sleep(restMs, undefined, { signal: end }).catch(() => {}) // the turn has ended
    }
  }

  async abort(): Promise<void> {
    const { uuid, download } = this.#record
    const upload = this.#parts?.state.upload ?? download.stored?.upload
    if (upload !== undefined) await this.#blobs.abort(imageBlob(uuid), upload)
  }

  /** Undefined: all has come. Else why it broke off. */
  async #fill(): Promise<string | undefined> {
    const { guard, end } = this.#turn
    try {
      const from = this.#stored()
      const reply = await broken(() => fetchGuarded(this.#record.download.url, guard, end, from))
      try {
        return await this.#take(reply, from)
      } finally {
        reply.on('error', () => {}).destroy()
      }
    } catch (error) {
      if (error instanceof Broken) return error.message
      throw error
    }
  }

  async #take(reply: IncomingMessage, from: number): Promise<string | undefined> {
    const offer = offered(reply, from)
    const { partBytes = PART_BYTES } = this.#turn
    this.#hasRanges = offer.ranges
    if (from > 0 && !offer.ranges) await this.#forget()
    if (offer.total !== null && offer.total > LARGEST) throw tooLarge()
    const requireRoom = await roomFor(this.#turn, this.#record.owner, 'image_size_total')
    await requireRoom(offer.total ?? 0)
    if (this.#parts && !isSameFile(this.#parts.state, offer))
      throw new UserError(400, 'the file there was changed while it was fetched')
    const parts = (this.#parts ??= await StoredParts.begin(this.#blobs, this.#record, offer, partBytes))
    for await (const chunk of chunksOf(reply)) {
      if (parts.bytes + chunk.byteLength > LARGEST) throw tooLarge()
      await requireRoom(parts.bytes + chunk.byteLength)
      if (await parts.add(chunk)) await this.#say()
    }
    const isShort = offer.total !== null && parts.bytes < offer.total
    return isShort ? `the connection ended, and ${this.#came()}` : undefined
  }

  async #complete(): Promise<boolean> {
    const { uuid } = this.#record
    const { blobs, table } = this.#turn
    const data = await this.#parts!.complete(blobs)
    const entry = await findEntry(table, uuid)
    if (entry?.record.download?.turn?.holder === this.#holder) await activate(this.#turn, entry, data)
    else if (!entry) await blobs.delete(imageBlob(uuid)) // it was deleted meanwhile
    return true
  }

  async #keep(): Promise<void> {
    if (!this.#parts) return
    await this.#parts.keep()
    await this.#say()
  }

  async #forget(): Promise<void> {
    await this.abort()
    this.#parts = undefined
    const { uuid } = this.#record
    delete this.#record.download.stored
    await whileHeld(this.#turn, uuid, this.#holder, { stored: undefined })
  }

  #say(): Promise<void> {
    return whileHeld(this.#turn, this.#record.uuid, this.#holder, { stored: this.#parts!.state })
  }

  #stored(): number {
    return this.#parts?.state.bytes ?? 0
  }

  #came(): string {
    const { bytes = 0, state } = this.#parts ?? {}
    return `${bytes} bytes of ${state?.total ?? 'an unknown number'} came`
  }
}

const tooLarge = (): UserError =>
  new UserError(400, `it is larger than the ${LARGEST} bytes that are fetched: push it (\`bloomery image push\`)`)

async function broken<T>(fetching: () => Promise<T>): Promise<T> {
  try {
    return await fetching()
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new Broken(reasonOf(error))
  }
}

async function* chunksOf(reply: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* reply
  } catch (error) {
    throw new Broken(reasonOf(error))
  }
}
