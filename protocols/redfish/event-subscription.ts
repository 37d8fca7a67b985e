import type { Redfish } from './client.ts'
import { memberPaths, required } from './collection.ts'
import { MalformedAnswer } from './error.ts'
import { listAt, objectOf, textAt } from './json.ts'

export interface Subscription {
  path: string
}

export interface Event {
  /** The registry's key without registry and version. */
  id: string
  text: string
  severity: string | undefined
  at: string | undefined
  origin: string | undefined
}

const MOST_EVENTS = 256

/** Has the BMC POST its events to a URL (DSP0266 §12.5). `context` comes back with each, so that the receiver knows who sends. */
export async function subscribe(bmc: Redfish, destination: string, context: string): Promise<Subscription> {
  const operation = 'subscribe to events'
  const path = await subscriptionsOf(bmc, operation)
  const body = { Destination: destination, Context: context, Protocol: 'Redfish', EventFormatType: 'Event' }
  const { location, body: made } = await bmc.send({ method: 'POST', path, body }, { operation })
  const created = location ?? textAt(made, '@odata.id')
  if (created === undefined)
    throw new MalformedAnswer(bmc.subject(operation), 'a subscription made without saying where')
  return { path: created }
}

export async function unsubscribe(bmc: Redfish, { path }: Subscription): Promise<void> {
  await bmc.send({ method: 'DELETE', path }, { operation: 'unsubscribe from events' })
}

/** Paths of all there are, whoever made them: a BMC has room for a few. */
export async function listSubscriptions(bmc: Redfish): Promise<Subscription[]> {
  const operation = 'list event subscriptions'
  const paths = await memberPaths(bmc, await subscriptionsOf(bmc, operation), operation)
  return paths.map((path) => ({ path }))
}

/** What a BMC POSTed, or sent as one server-sent event. Undefined when it is no event message. */
export function parseEvents(body: unknown): { context: string | undefined; events: Event[] } | undefined {
  if (!objectOf(body)) return undefined
  const events = listAt(body, 'Events')
    .slice(0, MOST_EVENTS)
    .flatMap((entry): Event[] => {
      const id = textAt(entry, 'MessageId')
      if (id === undefined) return []
      const origin = textAt(entry, 'OriginOfCondition', '@odata.id') ?? textAt(entry, 'OriginOfCondition')
      const severity = textAt(entry, 'MessageSeverity') ?? textAt(entry, 'Severity')
      const at = textAt(entry, 'EventTimestamp')
      return [{ id: id.slice(id.lastIndexOf('.') + 1), text: textAt(entry, 'Message') ?? '', severity, at, origin }]
    })
  return events.length === 0 ? undefined : { context: textAt(body, 'Context'), events }
}

async function subscriptionsOf(bmc: Redfish, operation: string): Promise<string> {
  const service = await bmc.get(required(bmc, bmc.root, ['EventService'], operation), operation)
  return required(bmc, service, ['Subscriptions'], operation)
}
