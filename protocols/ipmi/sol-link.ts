import type { Clock } from './clock.ts'
import { decodeSolPacket, encodeSolPacket, MAX_CHARACTERS, MAX_SEQUENCE, NACK, SOL_HEADER } from './sol-packet.ts'

export interface SolLinkParts {
  clock: Clock
  send(bytes: Uint8Array): void
  /** The most bytes that the other side takes in one payload. */
  payloadSize: number
  /** Of one packet: how often it is sent, and how long each waits to be acknowledged. */
  tries: number
  retryMs: number
  /** Up to so many characters that wait to be sent. */
  take(most: number): Uint8Array
  /** How many of these characters were taken; the rest are refused, and come again. */
  deliver(data: Uint8Array): number
  /** What every packet says of this side. */
  flags(): number
  /** What the other side says of itself. */
  heard(flags: number): void
  /** A packet was not acknowledged after all tries. */
  lost(): void
}

interface Outstanding {
  sequence: number
  flags: number
  data: Uint8Array
  tries: number
}

const HALF = 7
const LONGEST_HOLD = 1000
const nobody = new Uint8Array(0)

/** One end of a SOL payload (IPMI 2.0 §15.9–15.11), either end: one packet at a time is under way; it is repeated until it is
 * acknowledged, and what the other side refused is sent again under a new number. */
export class SolLink {
  readonly #parts: SolLinkParts
  #sequence = 0
  #outstanding: Outstanding | undefined
  #refused: Uint8Array = nobody
  /** Operations that wait for the next packet. */
  #operations = 0
  /** The other side refused characters so often in a row; `#isHeld` while it is given time. */
  #refusals = 0
  #isHeld = false
  #heardLast: { sequence: number; length: number; taken: number } | undefined
  #cancel = (): void => undefined
  #closed = false

  constructor(parts: SolLinkParts) {
    this.#parts = parts
  }

  /** Nothing is under way, and nothing was refused. */
  get isIdle(): boolean {
    return !this.#outstanding && this.#refused.length === 0 && this.#operations === 0
  }

  /** There may be characters to send, or there is an operation to be carried out behind those sent before. */
  kick(flags = 0): void {
    this.#operations |= flags
    if (!this.#outstanding && !this.#isHeld) this.#next()
  }

  /** What is under way and what was refused is forgotten. */
  flush(): void {
    this.#refused = nobody
    if (this.#outstanding) this.#outstanding.data = nobody
  }

  /** Tells the other side of the flags, without waiting for an answer. */
  say(extra = 0): void {
    this.#send({ sequence: 0, acknowledged: 0, accepted: 0, flags: this.#parts.flags() | extra, data: nobody })
  }

  /** Throws a WireError. */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return
    const packet = decodeSolPacket(bytes)
    const outstanding = this.#outstanding
    if (packet.acknowledged !== 0 && packet.acknowledged === outstanding?.sequence)
      this.#acknowledge(outstanding, packet.accepted, (packet.flags & NACK) !== 0)
    this.#parts.heard(packet.flags)
    if (packet.sequence !== 0) this.#hear(packet.sequence, packet.data)
    if (!this.#outstanding && !this.#isHeld) this.#next()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  #hear(sequence: number, data: Uint8Array): void {
    const last = this.#heardLast
    const ahead = last ? (sequence - last.sequence + MAX_SEQUENCE) % MAX_SEQUENCE : 1
    // An older packet that was overtaken on its way: its sender has long gone on.
    if (ahead > HALF) return
    // §15.11: a packet that is sent again may have more characters than the first time. What was refused comes in another one.
    const before = last && ahead === 0 ? last : { length: 0, taken: 0 }
    const isMore = before.taken === before.length && data.length > before.length
    const taken = before.taken + (isMore ? this.#parts.deliver(data.subarray(before.length)) : 0)
    this.#heardLast = { sequence, length: isMore ? data.length : before.length, taken }
    const flags = this.#parts.flags() | (taken < data.length ? NACK : 0)
    this.#send({ sequence: 0, acknowledged: sequence, accepted: taken, flags, data: nobody })
  }

  #acknowledge(outstanding: Outstanding, accepted: number, refused: boolean): void {
    this.#cancel()
    this.#outstanding = undefined
    this.#refused = outstanding.data.subarray(Math.min(accepted, outstanding.data.length))
    if (!refused || accepted > 0) this.#refusals = 0
    if (this.#refused.length === 0 || (!refused && accepted > 0)) return
    this.#refusals += 1
    this.#isHeld = true
    const { clock, retryMs } = this.#parts
    this.#cancel = clock.after(Math.min(retryMs * this.#refusals, Math.max(LONGEST_HOLD, retryMs)), () => {
      this.#isHeld = false
      this.#next()
    })
  }

  #next(): void {
    if (this.#closed) return
    const most = Math.min(this.#parts.payloadSize - SOL_HEADER, MAX_CHARACTERS)
    const data = this.#refused.length > 0 ? this.#refused : this.#parts.take(most)
    if (data.length === 0 && this.#operations === 0) return
    this.#sequence = (this.#sequence % MAX_SEQUENCE) + 1
    this.#outstanding = { sequence: this.#sequence, flags: this.#operations, data, tries: 0 }
    this.#refused = nobody
    this.#operations = 0
    this.#transmit(this.#outstanding)
  }

  #transmit(outstanding: Outstanding): void {
    if (outstanding.tries >= this.#parts.tries) {
      this.#outstanding = undefined
      this.#parts.lost()
      return this.kick()
    }
    outstanding.tries += 1
    const { sequence, data } = outstanding
    this.#send({ sequence, acknowledged: 0, accepted: 0, flags: this.#parts.flags() | outstanding.flags, data })
    this.#cancel = this.#parts.clock.after(this.#parts.retryMs, () => this.#transmit(outstanding))
  }

  #send(packet: Parameters<typeof encodeSolPacket>[0]): void {
    if (!this.#closed) this.#parts.send(encodeSolPacket(packet))
  }
}
