import type { Redfish } from './client.ts'
import type { Clock } from './clock.ts'
import { required } from './collection.ts'
import { IncorrectCredentials, MalformedAnswer, NotOffered, RedfishError, RequestRefused } from './error.ts'
import { type EventMessage, parseEventText } from './event.ts'
import { EventStreamReader } from './event-stream.ts'
import { textAt } from './json.ts'
import { waitBefore } from './retry.ts'
import type { ReplyStream } from './transport.ts'

export interface ListenOptions {
  onEvents(this: void, message: EventMessage): void
  /** The stream is open (again): what happened meanwhile may have been missed, so look. */
  onOpen?(this: void): void
  /** Why the stream is not open; it is tried again. */
  onTrouble?(this: void, error: RedfishError): void
  signal: AbortSignal
  /** Silence that is too long to be believed: half-open connections never say that they are. Default: 10 minutes. */
  quietMs?: number
}

const OPERATION = 'listen to events'
const QUIET_MS = 10 * 60_000
/** An answer that begins comes at once; the events come when they come. */
const OPEN_MS = 30_000
const LONGEST_WAIT_MS = 5 * 60_000

/** Server-sent events of a BMC (DSP0266 §12.5.3), as long as the signal lets it: opened anew when it breaks, with what was heard last.
 * Rejects where there is nothing to wait for: a BMC that has no such stream, or won't let us in. */
export async function listenToEvents(bmc: Redfish, options: ListenOptions): Promise<void> {
  const service = await bmc.get(required(bmc, bmc.root, ['EventService'], OPERATION), OPERATION)
  const uri = textAt(service.body, 'ServerSentEventUri')
  if (uri === undefined)
    throw new NotOffered(bmc.subject(OPERATION), 'the BMC sends no events over a connection; subscribe by URL instead')
  const { signal } = options
  const heard = { id: '', retryMs: undefined as number | undefined, any: false }
  for (let failures = 0; !signal.aborted;) {
    heard.any = false
    try {
      await listenOnce(bmc, uri, heard, options)
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof RedfishError) || isFinal(error)) throw error
      options.onTrouble?.(error)
    }
    failures = heard.any ? 0 : failures + 1
    const wait = (heard.retryMs ?? waitBefore(0, 0.5)) * 2 ** Math.min(failures, 12)
    await rest(bmc.clock, Math.min(wait, LONGEST_WAIT_MS), signal)
  }
}

async function listenOnce(
  bmc: Redfish,
  path: string,
  heard: { id: string; retryMs: number | undefined; any: boolean },
  { onEvents, onOpen, signal, quietMs = QUIET_MS }: ListenOptions,
): Promise<void> {
  const headers = { accept: 'text/event-stream', ...(heard.id === '' ? {} : { 'last-event-id': heard.id }) }
  const stream = await bmc.stream({ method: 'GET', path, headers }, { operation: OPERATION, timeoutMs: OPEN_MS })
  const close = (): void => stream.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    if (signal.aborted) return
    onOpen?.()
    const reader = new EventStreamReader()
    for await (const bytes of withSilence(bmc, stream, quietMs)) {
      heard.any = true
      for (const { id, data } of events(bmc, reader, bytes)) {
        const message = parseEventText(data)
        if (message) onEvents(message)
        heard.id = headerValue(id)
      }
      heard.retryMs = reader.retryMs
    }
  } finally {
    signal.removeEventListener('abort', close)
    stream.close()
  }
}

function events(bmc: Redfish, reader: EventStreamReader, bytes: Uint8Array): { id: string; data: string }[] {
  try {
    return reader.push(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw new MalformedAnswer(bmc.subject(OPERATION), error.message)
    throw error
  }
}

/** The stream is closed when nothing has come for so long, comments included. */
async function* withSilence(bmc: Redfish, stream: ReplyStream, quietMs: number): AsyncGenerator<Uint8Array> {
  let cancel = bmc.clock.after(quietMs, () => stream.close())
  try {
    for await (const bytes of stream.chunks) {
      cancel()
      cancel = bmc.clock.after(quietMs, () => stream.close())
      yield bytes
    }
  } finally {
    cancel()
  }
}

/** It goes back in a header, and may hold no means to add another. */
function headerValue(id: string): string {
  return /^[\x20-\x7e]{0,1024}$/.test(id) ? id : ''
}

function isFinal(error: RedfishError): boolean {
  if (error instanceof IncorrectCredentials || error instanceof NotOffered) return true
  return error instanceof RequestRefused && [403, 404, 405, 501].includes(error.status)
}

/** Less when it is aborted; no timer stays behind then. */
function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}
