/** Server-sent events as they come off the wire (WHATWG HTML §9.2.6), as far as Redfish uses them (DSP0266 §12.5.3). Pure. */

export interface ServerSentEvent {
  /** To be told as Last-Event-ID when the stream is opened anew. */
  id: string
  data: string
}

/** One event of a BMC has a few kilobytes; whoever sends more is not read on. */
const MOST_CHARACTERS = 1024 * 1024
const LONGEST_ID = 1024
/** A BMC has more to do than to be opened. */
const LEAST_RETRY_MS = 1000
const MOST_RETRY_MS = 10 * 60_000

export class EventStreamReader {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #data: string[] = []
  #size = 0
  #afterReturn = false
  /** The last one, also of an event that is not whole yet. */
  #id = ''
  /** What the BMC asks to wait before the stream is opened anew. */
  retryMs: number | undefined

  /** Events that these bytes complete. Throws a RangeError when one has no end. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    const heard = this.#decoder.decode(bytes, { stream: true })
    if (heard === '') return []
    const more = this.#afterFeed(heard)
    // A line that comes byte by byte is not looked through anew for each of them.
    const lines = /[\r\n]/.test(more) ? (this.#rest + more).split(/\r\n|\n|\r/) : [this.#rest + more]
    this.#rest = lines.pop() ?? ''
    // A line that ends in a return has ended; the feed that may follow belongs to it.
    this.#afterReturn = heard.endsWith('\r')
    if (this.#rest.length + this.#size > MOST_CHARACTERS)
      throw new RangeError(`an event of more than ${MOST_CHARACTERS} characters`)
    return lines.flatMap((line) => this.#line(line) ?? [])
  }

  #afterFeed(text: string): string {
    return this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch()
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'data') {
      this.#size += value.length + 1
      this.#data.push(value)
    } else if (field === 'id' && !value.includes('\0')) this.#id = value.slice(0, LONGEST_ID)
    else if (field === 'retry' && /^\d{1,9}$/.test(value))
      this.retryMs = Math.min(Math.max(Number(value), LEAST_RETRY_MS), MOST_RETRY_MS)
    return undefined
  }

  #dispatch(): ServerSentEvent | undefined {
    const data = this.#data.join('\n')
    this.#data = []
    this.#size = 0
    return data === '' ? undefined : { id: this.#id, data }
  }
}
