import { listAt, objectOf, textAt, textsAt } from './json.ts'
import { plain } from './messages.ts'

export interface Event {
  /** The registry's key without registry and version. */
  id: string
  /** As the BMC tells it: `ResourceEvent.1.3.0.ResourcePoweredOff`. */
  messageId: string
  args: readonly string[]
  text: string
  severity: string | undefined
  at: string | undefined
  /** Path of what it happened to. */
  origin: string | undefined
}

export interface EventMessage {
  /** What the subscriber said, so that it knows who sends. */
  context: string | undefined
  events: Event[]
}

const MOST_EVENTS = 256

/** What a BMC POSTed, or sent as one server-sent event (DSP0266 §12.5). Undefined when it is no event message. */
export function parseEvents(body: unknown): EventMessage | undefined {
  if (!objectOf(body)) return undefined
  const events = listAt(body, 'Events')
    .slice(0, MOST_EVENTS)
    .flatMap((entry) => eventOf(entry) ?? [])
  return events.length === 0 ? undefined : { context: textAt(body, 'Context'), events }
}

/** The same of its text. */
export function parseEventText(text: string): EventMessage | undefined {
  try {
    return parseEvents(JSON.parse(text))
  } catch {
    return undefined
  }
}

function eventOf(entry: unknown): Event | undefined {
  const messageId = textAt(entry, 'MessageId')
  if (messageId === undefined) return undefined
  return {
    id: messageId.slice(messageId.lastIndexOf('.') + 1),
    messageId,
    args: textsAt(entry, 'MessageArgs').slice(0, 8),
    text: plain(textAt(entry, 'Message') ?? ''),
    severity: textAt(entry, 'MessageSeverity') ?? textAt(entry, 'Severity'),
    at: textAt(entry, 'EventTimestamp'),
    origin: textAt(entry, 'OriginOfCondition', '@odata.id') ?? textAt(entry, 'OriginOfCondition'),
  }
}

const powers: Readonly<Record<string, true>> = {
  ResourcePoweredOn: true,
  ResourcePoweredOff: true,
  ResourcePoweringOn: true,
  ResourcePoweringOff: true,
  ResourcePowerStateChanged: true,
  ServerPoweredOn: true,
  ServerPoweredOff: true,
  SYS1000: true,
  SYS1001: true,
  SYS1003: true,
}

/** Whether this is about a machine's power: a reason to ask, not an answer, for it may be late or somebody else's. */
export function isAboutPower({ id }: Event): boolean {
  return Object.hasOwn(powers, id)
}
