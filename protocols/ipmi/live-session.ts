import { WireError } from '@bloomery/wire/error.ts'
import { direct, type Route } from './bridge.ts'
import { type Command, decodeWith, encodeWith } from './command.ts'
import { closeSession } from './commands.ts'
import { CommandFailed, MalformedAnswer } from './error.ts'
import { exchange, type Patience, type Peer, subjectOf, unlessMalformed } from './exchange.ts'
import { decodeMessage } from './message.ts'
import type { Wrapping } from './wrapping.ts'

const CLOSE_PATIENCE = 1000

/** One session as long as the BMC keeps it. One request at a time: BMCs have few buffers, and a number that is answered twice
 * can then only be a repetition. */
export class LiveSession {
  readonly #peer: Peer
  readonly #wrapping: Wrapping
  #request = 0
  #lastHeard: number

  constructor(peer: Peer, wrapping: Wrapping) {
    this.#peer = peer
    this.#wrapping = wrapping
    this.#lastHeard = peer.clock.now()
  }

  /** Undefined: the session has no payloads but messages (IPMI 1.5). */
  get payloads(): Wrapping['payloads'] {
    return this.#wrapping.payloads
  }

  /** Sends another payload of the session: once, unanswered. */
  post(payload: Uint8Array): Promise<void> {
    return this.#peer.socket.send(this.#peer, payload)
  }

  /** Hears the session's payloads of this type. */
  hear(type: number, listener: (payload: Uint8Array) => void): () => void {
    return this.#peer.socket.listen(this.#peer, this.#wrapping.heardAs, (packet, bytes) => {
      const clear = unlessMalformed(() => this.#wrapping.payloads?.unwrap(type, packet, bytes))
      if (!clear) return
      this.#lastHeard = this.#peer.clock.now()
      unlessMalformed(() => listener(clear))
    })
  }

  idleFor(): number {
    return this.#peer.clock.now() - this.#lastHeard
  }

  async send<Q, R>(
    command: Command<Q, R>,
    request: Q,
    patience: Patience,
    { route = direct, lun }: { route?: Route; lun?: number | undefined } = {},
  ): Promise<R> {
    const { netFn, code, name: operation } = command
    this.#request = (this.#request + 1) & 0x3f
    const sequence = this.#request
    const asked = { netFn, lun, command: code, sequence, data: encodeWith(command.request, request) }
    const message = route.write(asked)
    const answer = await exchange(this.#peer, patience, {
      operation,
      sessionId: this.#wrapping.heardAs,
      make: () => this.#wrapping.wrap(message),
      match: (packet, bytes) => {
        const clear = this.#wrapping.unwrap(packet, bytes)
        return clear && route.read(decodeMessage(clear), asked)
      },
    })
    this.#lastHeard = this.#peer.clock.now()
    return this.#result(command, answer.data, answer.by)
  }

  /** Best effort: a BMC that isn't told keeps the slot for a minute. */
  async close(): Promise<void> {
    const patience = { deadline: this.#peer.clock.now() + CLOSE_PATIENCE, seconds: CLOSE_PATIENCE / 1000 }
    await this.send(closeSession, { sessionId: this.#wrapping.bmcId }, patience).catch(() => undefined)
  }

  #result<Q, R>(command: Command<Q, R>, data: Uint8Array, by?: string): R {
    const subject = subjectOf(this.#peer, by === undefined ? command.name : `${command.name}, by ${by}`)
    const [code] = data
    if (code === undefined) throw new MalformedAnswer(subject, new WireError('there is no completion code'))
    if (code !== 0) throw new CommandFailed(subject, code)
    try {
      return decodeWith(command.response, data.subarray(1))
    } catch (error) {
      throw error instanceof WireError ? new MalformedAnswer(subject, error) : error
    }
  }
}
