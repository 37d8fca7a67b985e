import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { MalformedAnswer, RequestRefused } from './error.ts'
import { type JsonObject, textAt, textsAt } from './json.ts'

/** Event subscriptions as whoever operates the machine wants them (DSP2046 EventDestination), told as the BMC tells them. What we have the
 * BMC tell ourselves is in event-subscription.ts. */
export interface DestinationWish {
  destination: string
  protocol: string
  context: string
  eventTypes: readonly string[]
  /** May hold a token of the receiver. */
  httpHeaders: ReadonlyArray<Readonly<Record<string, string>>>
}

/** Types that the BMC lets people subscribe to; none where it says nothing of them. */
export async function offeredEventTypes(bmc: Redfish): Promise<string[]> {
  return textsAt((await serviceOf(bmc, 'read event service')).body, 'EventTypesForSubscription')
}

export async function createDestination(bmc: Redfish, wish: DestinationWish): Promise<Resource> {
  const operation = 'create event subscription'
  const { destination, protocol, context, eventTypes, httpHeaders } = wish
  const body = {
    Destination: destination,
    Protocol: protocol,
    Context: context,
    EventTypes: eventTypes,
    ...(httpHeaders.length === 0 ? {} : { HttpHeaders: httpHeaders }),
  }
  const secrets = [context, ...httpHeaders.flatMap((each) => Object.values(each))]
  const path = await collectionOf(bmc, operation)
  const answer = await bmc.send({ method: 'POST', path, body }, { operation, secrets })
  const made = answer.location ?? textAt(answer.body, '@odata.id')
  if (made === undefined) throw new MalformedAnswer(bmc.subject(operation), 'a subscription made without saying where')
  return bmc.get(made, operation)
}

/** The one that is as wished already. */
export async function findDestination(bmc: Redfish, wish: DestinationWish): Promise<Resource | undefined> {
  const operation = 'find event subscription'
  const held = await members(bmc, await collectionOf(bmc, operation), operation)
  return held.find(
    ({ body }) => textAt(body, 'Destination') === wish.destination && (textAt(body, 'Context') ?? '') === wish.context,
  )
}

export async function readDestination(bmc: Redfish, id: string): Promise<Resource> {
  const operation = 'read event subscription'
  return bmc.get(pathOf(await collectionOf(bmc, operation), id), operation)
}

/** The collection itself. */
export async function readDestinations(bmc: Redfish): Promise<JsonObject> {
  const operation = 'list event subscriptions'
  return (await bmc.get(await collectionOf(bmc, operation), operation)).body
}

/** `lenient`: one that is gone is as good. */
export async function deleteDestination(bmc: Redfish, id: string, lenient = false): Promise<void> {
  const operation = 'delete event subscription'
  const path = pathOf(await collectionOf(bmc, operation), id)
  try {
    await bmc.send({ method: 'DELETE', path }, { operation })
  } catch (error) {
    if (!lenient || !(error instanceof RequestRefused) || error.status !== 404) throw error
  }
}

const pathOf = (collection: string, id: string): string => `${collection.replace(/\/$/, '')}/${encodeURIComponent(id)}`

async function collectionOf(bmc: Redfish, operation: string): Promise<string> {
  return required(bmc, await serviceOf(bmc, operation), ['Subscriptions'], operation)
}

function serviceOf(bmc: Redfish, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, bmc.root, ['EventService'], operation), operation)
}
