import {
  createDestination,
  deleteDestination,
  findDestination,
  offeredEventTypes,
  readDestination,
  readDestinations,
} from '@bloomery/redfish/event-destination.ts'
import type { Subscription } from '../../contract/subscription.ts'
import type { BmcSubscriptions } from './bmc.ts'
import type { UseRedfish } from './redfish-management.ts'

/** Ironic's, where somebody names no types. */
const DEFAULT_TYPES = ['Alert']

export function redfishSubscriptions(use: UseRedfish): BmcSubscriptions {
  return {
    eventTypes: () => use(({ bmc }) => offeredEventTypes(bmc)),
    create: (wish) => use(async ({ bmc }) => (await createDestination(bmc, wishOf(wish))).body),
    find: (wish) => use(async ({ bmc }) => (await findDestination(bmc, wishOf(wish)))?.body),
    read: (id) => use(async ({ bmc }) => (await readDestination(bmc, id)).body),
    all: () => use(({ bmc }) => readDestinations(bmc)),
    remove: (id, lenient) => use(({ bmc }) => deleteDestination(bmc, id, lenient)),
  }
}

const wishOf = ({ Destination, Protocol, Context, EventTypes, HttpHeaders }: Subscription) => ({
  destination: Destination,
  protocol: Protocol,
  context: Context,
  eventTypes: EventTypes ?? DEFAULT_TYPES,
  httpHeaders: HttpHeaders ?? [],
})
