import { actionAt } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { memberPaths, members, required } from './collection.ts'
import { MalformedAnswer, RequestRefused } from './error.ts'
import { listAt, textAt } from './json.ts'

export interface Subscription {
  path: string
}

/** What a BMC is to do with its events. */
export interface SubscriptionWish {
  /** URL that it POSTs them to. */
  destination: string
  /** Comes back with each, so that the receiver knows who sends. */
  context: string
}

/** Has the BMC POST its events to a URL (DSP0266 §12.5). */
export async function subscribe(bmc: Redfish, { destination, context }: SubscriptionWish): Promise<Subscription> {
  const operation = 'subscribe to events'
  const service = await serviceOf(bmc, operation)
  const path = required(bmc, service, ['Subscriptions'], operation)
  const body = { Destination: destination, Context: context, Protocol: 'Redfish' }
  const how = { operation, secrets: [context] }
  const post = (more: object) => bmc.send({ method: 'POST', path, body: { ...body, ...more } }, how)
  const { location, body: made } = await post({ EventFormatType: 'Event' }).catch((error: unknown) => {
    // Before EventDestination 1.6 (2019) it was types that were subscribed to, and some demand them to this day.
    if (!(error instanceof RequestRefused) || error.status !== 400) throw error
    const types = listAt(service.body, 'EventTypesForSubscription')
    return post({ EventTypes: types.length === 0 ? ['Alert'] : types.slice(0, 32) })
  })
  const created = location ?? textAt(made, '@odata.id')
  if (created === undefined)
    throw new MalformedAnswer(bmc.subject(operation), 'a subscription made without saying where')
  return { path: created }
}

/** As `subscribe`, where it is not there yet: BMCs lose subscriptions at a restart, and suspend those that they could not deliver to.
 * Others with the same context, or to the same destination, are ours of an earlier life and removed: a BMC has room for few. */
export async function renewSubscription(bmc: Redfish, wish: SubscriptionWish): Promise<Subscription> {
  const operation = 'renew event subscription'
  const path = required(bmc, await serviceOf(bmc, operation), ['Subscriptions'], operation)
  const held = await members(bmc, path, operation)
  const ours = held.filter(
    ({ body }) => textAt(body, 'Context') === wish.context || textAt(body, 'Destination') === wish.destination,
  )
  const good = ours.find(
    ({ body }) => textAt(body, 'Context') === wish.context && textAt(body, 'Destination') === wish.destination,
  )
  for (const each of ours) if (each !== good) await unsubscribe(bmc, each)
  if (!good) return subscribe(bmc, wish)
  if ((textAt(good.body, 'Status', 'State') ?? 'Enabled') === 'Enabled') return { path: good.path }
  return resumed(bmc, good, wish)
}

async function resumed(bmc: Redfish, suspended: Resource, wish: SubscriptionWish): Promise<Subscription> {
  const operation = 'resume event subscription'
  const action = actionAt(suspended, '#EventDestination.ResumeSubscription')
  if (action) {
    await bmc.send({ method: 'POST', path: action.target, body: {} }, { operation })
    return { path: suspended.path }
  }
  await unsubscribe(bmc, suspended)
  return subscribe(bmc, wish)
}

/** One that is gone is as good. */
export async function unsubscribe(bmc: Redfish, { path }: Subscription): Promise<void> {
  try {
    await bmc.send({ method: 'DELETE', path }, { operation: 'unsubscribe from events' })
  } catch (error) {
    if (!(error instanceof RequestRefused) || error.status !== 404) throw error
  }
}

/** Paths of all there are, whoever made them. */
export async function listSubscriptions(bmc: Redfish): Promise<Subscription[]> {
  const operation = 'list event subscriptions'
  const collection = required(bmc, await serviceOf(bmc, operation), ['Subscriptions'], operation)
  return (await memberPaths(bmc, collection, operation)).map((path) => ({ path }))
}

function serviceOf(bmc: Redfish, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, bmc.root, ['EventService'], operation), operation)
}
