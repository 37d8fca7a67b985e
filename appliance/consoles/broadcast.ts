import { type ConsoleChunk, MOST_TEXT } from '../../contract/console.ts'
import type { Clock } from '../clock.ts'
import type { ConsoleSession } from './session.ts'

const BEAT_MS = 100
const SNAPSHOT_MS = 1_000
/** Characters: what one console may send, for a moment and for long. A serial port of 115200 bit/s prints 11 520 a second. */
const BURST = 64 * 1024
const PER_SECOND = 16 * 1024
/** More than this waiting is not read by anybody: the screen is sent instead. */
const MOST_WAITING = 32 * 1024

export interface BroadcastParts {
  stream: string
  session: ConsoleSession
  clock: Clock
  /** Rejects while the site is cut off. */
  publish(chunk: ConsoleChunk): Promise<void>
  ended(): void
}

/** Sends what a console shows to the cloud while somebody watches, one message at a time. A line that is slower than the console gets the
 * screen now and then instead of every character. */
export class Broadcast {
  readonly #parts: BroadcastParts
  readonly #stopping = new AbortController()
  readonly done: Promise<void>
  #until = 0
  #waiting = ''
  #skips = true
  #told = ''
  #seq = 0
  #allowance = BURST
  #snapshotAt = Number.NEGATIVE_INFINITY

  constructor(parts: BroadcastParts, seconds: number) {
    this.#parts = parts
    this.renew(seconds, true)
    this.done = this.#run().finally(parts.ended)
  }

  renew(seconds: number, snapshot: boolean): void {
    this.#until = this.#now() + seconds * 1000
    if (snapshot) this.#resend()
  }

  heard(text: string): void {
    if (this.#skips) return
    this.#waiting += text
    if (this.#waiting.length <= MOST_WAITING) return
    this.#skips = true
    this.#waiting = ''
  }

  stop(): void {
    this.#stopping.abort(new Error('the console is closed'))
  }

  #resend(): void {
    this.#skips = true
    this.#waiting = ''
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted && this.#now() < this.#until) {
      const chunk = this.#next()
      // What is lost on the way is made good by a screen.
      if (chunk) await this.#parts.publish(chunk).catch(() => this.#resend())
      await clock.sleep(BEAT_MS, signal).catch(() => {})
      this.#allowance = Math.min(this.#allowance + (PER_SECOND * BEAT_MS) / 1000, BURST)
    }
  }

  #next(): ConsoleChunk | undefined {
    const { session, stream, clock } = this.#parts
    const { state, note } = session
    const at = clock.now().toISOString()
    const said = `${state} ${note}`
    const isNews = said !== this.#told
    if (this.#skips && this.#now() - this.#snapshotAt >= SNAPSHOT_MS) {
      this.#skips = false
      this.#waiting = ''
      this.#told = said
      this.#snapshotAt = this.#now()
      return { stream, seq: (this.#seq += 1), at, state, note, text: null, screen: session.screen.lines() }
    }
    const text = this.#skips ? '' : this.#waiting.slice(0, Math.min(MOST_TEXT, this.#allowance))
    if (text === '' && !isNews) return undefined
    this.#waiting = this.#waiting.slice(text.length)
    this.#allowance -= text.length
    this.#told = said
    return { stream, seq: (this.#seq += 1), at, state, note, text: text === '' ? null : text, screen: null }
  }

  #now(): number {
    return this.#parts.clock.now().getTime()
  }
}
