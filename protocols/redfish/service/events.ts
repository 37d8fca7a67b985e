import { textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, done, ref, type Route } from './route.ts'
import { nextId, type State } from './state.ts'

const SERVICE = '/redfish/v1/EventService'
const MOST_SUBSCRIPTIONS = 8

/** DSP0266 §12.5. Who simulates sends the events: `state.subscriptions` says where to. */
export function eventRoutes(state: State): Route[] {
  const { subscriptions } = state
  const path = (id: string): string => `${SERVICE}/Subscriptions/${id}`
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#EventService.v1_7_0.EventService',
        Id: 'EventService',
        Name: 'Event service',
        ServiceEnabled: true,
        DeliveryRetryAttempts: 3,
        DeliveryRetryIntervalSeconds: 60,
        Subscriptions: ref(`${SERVICE}/Subscriptions`),
        Actions: { '#EventService.SubmitTestEvent': { target: `${SERVICE}/Actions/EventService.SubmitTestEvent` } },
      }),
    },
    {
      path: `${SERVICE}/Subscriptions`,
      get: () => collection('EventDestinationCollection', 'Subscriptions', [...subscriptions.keys()].map(path)),
      post: ({ body }) => {
        const destination = textAt(body, 'Destination')
        if (destination === undefined) throw new Refusal(400, 'PropertyMissing', ['Destination'])
        if (textAt(body, 'Protocol') !== 'Redfish') throw new Refusal(400, 'PropertyMissing', ['Protocol'])
        if (subscriptions.size >= MOST_SUBSCRIPTIONS) throw new Refusal(503, 'EventSubscriptionLimitExceeded')
        const id = nextId(state)
        subscriptions.set(id, { destination, context: textAt(body, 'Context') ?? '' })
        return { status: 201, headers: { location: path(id) } }
      },
    },
    {
      path: `${SERVICE}/Subscriptions/:id`,
      get: ({ at }) => {
        const found = subscriptions.get(at['id'] ?? '')
        if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        return {
          '@odata.type': '#EventDestination.v1_11_0.EventDestination',
          Id: at['id'],
          Name: 'Event subscription',
          Destination: found.destination,
          Context: found.context,
          Protocol: 'Redfish',
        }
      },
      delete: ({ at }) => {
        if (!subscriptions.delete(at['id'] ?? '')) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        return done
      },
    },
  ]
}
