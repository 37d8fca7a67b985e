import type { ConsoleChunk, Recorded } from '../../contract/console.ts'
import type { Clock } from '../clock.ts'
import { sentence } from '../hardware-error.ts'
import type { ConsoleLine, OpenConsole } from './line.ts'
import { Screen } from './screen.ts'

const FIRST_PAUSE = 2_000
const LONGEST_PAUSE = 120_000
/** A console that was had for so long is tried again at once. */
const GOOD_MS = 60_000
const RECORD_MS = 1_000
const MOST_UNRECORDED = 64 * 1024
const TYPED_MS = 50
const MOST_TYPED = 8_192

const marks = {
  break: 'break',
  overrun: 'the BMC lost characters',
  'no break': "a break can't be sent by SSH",
}

export interface SessionParts {
  open: OpenConsole
  clock: Clock
  random: () => number
  record(entries: Recorded[]): void
  /** The machine printed. */
  heard(text: string): void
}

/** One machine's console, kept open until it is closed: lost, it is opened again, later and later. */
export class ConsoleSession {
  readonly screen = new Screen()
  readonly #parts: SessionParts
  readonly #closing = new AbortController()
  readonly #done: Promise<void>
  readonly #decoder = new TextDecoder()
  #line: ConsoleLine | undefined
  #note: string | null = null
  #unrecorded: Recorded[] = []
  #unrecordedLength = 0
  #records = false
  #typed = Buffer.alloc(0)
  #types = false

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#done = this.#keepOpen()
  }

  get state(): ConsoleChunk['state'] {
    if (this.#closing.signal.aborted) return 'off'
    if (!this.#line) return 'connecting'
    return this.#line.suspended ? 'suspended' : 'active'
  }

  /** Why it isn't open. */
  get note(): string | null {
    return this.#note
  }

  /** False: more is waiting to be typed than is kept, or there is no console to type on. */
  type(text: string, lineBreak: boolean): boolean {
    const bytes = Buffer.from(text)
    if (!this.#line || this.#typed.length + bytes.length > MOST_TYPED) return false
    this.#typed = Buffer.concat([this.#typed, bytes])
    this.#offer()
    if (lineBreak) this.#line.sendBreak()
    return true
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the console is closed'))
    await this.#done
    this.flush()
  }

  /** To the recording, all that is not there yet. */
  flush(): void {
    const entries = this.#unrecorded
    this.#unrecorded = []
    this.#unrecordedLength = 0
    if (entries.length > 0) this.#parts.record(entries)
  }

  async #keepOpen(): Promise<void> {
    const { clock, random, open } = this.#parts
    const { signal } = this.#closing
    let pause = FIRST_PAUSE
    while (!signal.aborted) {
      const began = clock.now().getTime()
      try {
        await this.#while(open)
        return
      } catch (error) {
        this.#say(sentence(error))
      }
      if (clock.now().getTime() - began > GOOD_MS) pause = FIRST_PAUSE
      await clock.sleep(pause * (0.75 + random() / 2), signal).catch(() => {})
      pause = Math.min(pause * 2, LONGEST_PAUSE)
    }
  }

  /** Resolves when it was closed, rejects when it was lost. */
  async #while(open: OpenConsole): Promise<void> {
    const { signal } = this.#closing
    const lost = Promise.withResolvers<never>()
    lost.promise.catch(() => {})
    const line = await open({
      data: (bytes) => this.#hear(this.#decoder.decode(bytes, { stream: true })),
      mark: (mark) => this.#keep('m', marks[mark]),
      lost: lost.reject,
    })
    this.#line = line
    this.#note = null
    this.#keep('m', 'connected')
    const closed = Promise.withResolvers<void>()
    if (signal.aborted) closed.resolve()
    const close = (): void => closed.resolve()
    signal.addEventListener('abort', close)
    try {
      await Promise.race([closed.promise, lost.promise])
    } finally {
      signal.removeEventListener('abort', close)
      this.#line = undefined
      this.#typed = Buffer.alloc(0)
      await line.close()
    }
  }

  #hear(text: string): void {
    if (text === '') return
    this.screen.write(text)
    this.#keep('o', text)
    this.#parts.heard(text)
  }

  #say(note: string): void {
    if (note !== this.#note) this.#keep('m', note)
    this.#note = note.slice(0, 1024)
  }

  /** Written once a second, so that a busy console costs no disk much. */
  #keep(kind: Recorded[1], text: string): void {
    const { clock } = this.#parts
    this.#unrecorded.push([clock.now().toISOString(), kind, text])
    this.#unrecordedLength += text.length
    if (this.#unrecordedLength >= MOST_UNRECORDED) this.flush()
    if (this.#records) return
    this.#records = true
    void clock
      .sleep(RECORD_MS, this.#closing.signal)
      .catch(() => {})
      .then(() => {
        this.#records = false
        this.flush()
      })
  }

  #offer(): void {
    if (!this.#line) return
    this.#typed = this.#typed.subarray(this.#line.write(this.#typed))
    if (this.#typed.length === 0 || this.#types) return
    this.#types = true
    void this.#parts.clock
      .sleep(TYPED_MS, this.#closing.signal)
      .catch(() => {})
      .then(() => {
        this.#types = false
        this.#offer()
      })
  }
}
