import { randomUUID } from 'node:crypto'
import { ApiError, type Client } from '../contract/api/client.ts'
import { MOST_TYPED } from '../contract/console.ts'

const MOST_WAITING = 64 * 1024

/** Sends what is typed, in order: one request at a time, with all that was typed meanwhile. What can't be sent is lost, as on a line that
 * is down, and said. */
export class ConsoleInput {
  readonly #client: Client
  readonly #ident: string
  readonly #lost: (why: string) => void
  readonly #from = randomUUID()
  #number = 0
  #waiting: { text: string; lineBreak: boolean }[] = []
  #sending: Promise<void> | undefined

  constructor(client: Client, ident: string, lost: (why: string) => void) {
    this.#client = client
    this.#ident = ident
    this.#lost = lost
  }

  type(text: string, lineBreak = false): void {
    const last = this.#waiting.at(-1)
    if (last && !last.lineBreak && last.text.length < MOST_WAITING) {
      last.text += text
      last.lineBreak = lineBreak
    } else if (this.#waiting.length < 100) this.#waiting.push({ text, lineBreak })
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined))
  }

  /** All that was typed is sent, or lost. */
  async sent(): Promise<void> {
    while (this.#sending) await this.#sending
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const text = next.text.slice(0, MOST_TYPED)
      const rest = next.text.slice(MOST_TYPED)
      if (rest !== '') this.#waiting.unshift({ text: rest, lineBreak: next.lineBreak })
      this.#number += 1
      const line_break = rest === '' && next.lineBreak
      try {
        await this.#client.nodes.consoleInput(this.#ident, { from: this.#from, number: this.#number, text, line_break })
      } catch (error) {
        this.#waiting = []
        this.#lost(error instanceof ApiError ? error.message : 'the API can’t be reached')
      }
    }
  }
}
