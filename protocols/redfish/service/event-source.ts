import { EventEmitter } from 'node:events'
import type { JsonObject } from '../json.ts'

/** What has happened to a simulated machine. */
export interface Happening {
  /** `ResourceEvent.1.3.0.ResourcePoweredOff`. */
  messageId: string
  text: string
  args?: readonly string[]
  severity?: 'OK' | 'Warning' | 'Critical'
  /** Path of what it happened to. */
  origin: string
}

export interface Emitted {
  id: number
  record: JsonObject
}

const KEPT = 64

/** Events of a BMC, for whoever listens and for who comes back (DSP0266 §12.5). */
export class EventSource {
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  readonly #kept: Emitted[] = []
  #last = 0

  emit({ messageId, text, args = [], severity = 'OK', origin }: Happening): void {
    const id = (this.#last += 1)
    const record = {
      EventId: String(id),
      EventType: 'Alert',
      EventTimestamp: new Date().toISOString(),
      MemberId: '0',
      MessageId: messageId,
      Message: text,
      MessageArgs: args,
      MessageSeverity: severity,
      Severity: severity,
      OriginOfCondition: { '@odata.id': origin },
    }
    const emitted = { id, record }
    this.#kept.push(emitted)
    if (this.#kept.length > KEPT) this.#kept.shift()
    this.#emitter.emit('event', emitted)
  }

  /** With those after the id, as far as they are kept. Returns the end of it. */
  listen(onEvent: (emitted: Emitted) => void, after?: number): () => void {
    for (const emitted of after === undefined ? [] : this.#kept) if (emitted.id > after!) onEvent(emitted)
    this.#emitter.on('event', onEvent)
    return () => void this.#emitter.off('event', onEvent)
  }
}

export function eventMessage({ id, record }: Emitted, context: string): JsonObject {
  return { '@odata.type': '#Event.v1_7_0.Event', Id: String(id), Name: 'Event', Context: context, Events: [record] }
}
