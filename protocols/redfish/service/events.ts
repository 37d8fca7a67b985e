import { type JsonObject, listAt, objectOf, textAt, textsAt } from '../json.ts'
import { ATTEMPTS } from './event-delivery.ts'
import { eventMessage } from './event-source.ts'
import { Refusal } from './machine.ts'
import { type Call, collection, done, ref, type Result, type Route } from './route.ts'
import { nextId, type State, type Subscriber } from './state.ts'

const SERVICE = '/redfish/v1/EventService'
const STREAM = `${SERVICE}/SSE`
const MOST_SUBSCRIPTIONS = 8
const types = ['Alert', 'StatusChange']

/** DSP0266 §12.5. What happens is told by `state.events`; a socket's server delivers it to those that subscribed. */
export function eventRoutes(state: State): Route[] {
  const { subscriptions, events } = state
  const path = (id: string): string => `${SERVICE}/Subscriptions/${id}`
  const find = (id = ''): Subscriber => {
    const found = subscriptions.get(id)
    if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [id])
    return found
  }
  const test = `${SERVICE}/Actions/EventService.SubmitTestEvent`
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#EventService.v1_7_0.EventService',
        Id: 'EventService',
        Name: 'Event service',
        ServiceEnabled: true,
        Status: { State: 'Enabled', Health: 'OK' },
        DeliveryRetryAttempts: ATTEMPTS,
        DeliveryRetryIntervalSeconds: 1,
        EventTypesForSubscription: types,
        ...(state.dialect.streamsEvents ? { ServerSentEventUri: STREAM } : {}),
        Subscriptions: ref(`${SERVICE}/Subscriptions`),
        Actions: { '#EventService.SubmitTestEvent': { target: test } },
      }),
    },
    {
      path: test,
      post: ({ body }) => {
        const messageId = textAt(body, 'MessageId')
        if (messageId === undefined) throw new Refusal(400, 'ActionParameterMissing', ['SubmitTestEvent', 'MessageId'])
        const args = textsAt(body, 'MessageArgs')
        const origin = textAt(body, 'OriginOfCondition') ?? SERVICE
        events.emit({ messageId, text: textAt(body, 'Message') ?? '', args, origin })
        return done
      },
    },
    ...(state.dialect.streamsEvents
      ? [{ path: STREAM, get: () => ({}), stream: (call: Call) => stream(state, call) }]
      : []),
    {
      path: `${SERVICE}/Subscriptions`,
      get: () => collection('EventDestinationCollection', 'Subscriptions', [...subscriptions.keys()].map(path)),
      post: ({ body }) => {
        const destination = textAt(body, 'Destination')
        if (destination === undefined) throw new Refusal(400, 'PropertyMissing', ['Destination'])
        if (textAt(body, 'Protocol') !== 'Redfish') throw new Refusal(400, 'PropertyMissing', ['Protocol'])
        if (state.dialect.demandsEventTypes && listAt(body, 'EventTypes').length === 0)
          throw new Refusal(400, 'PropertyMissing', ['EventTypes'])
        if (subscriptions.size >= MOST_SUBSCRIPTIONS) throw new Refusal(503, 'EventSubscriptionLimitExceeded')
        const id = nextId(state)
        const asked = textsAt(body, 'EventTypes')
        const unknown = asked.find((type) => !types.includes(type))
        if (unknown !== undefined) throw new Refusal(400, 'PropertyValueNotInList', [unknown, 'EventTypes'])
        const context = textAt(body, 'Context') ?? ''
        subscriptions.set(id, { destination, context, types: asked, headers: headersIn(body), suspended: false })
        return { status: 201, headers: { location: path(id) } }
      },
    },
    {
      path: `${SERVICE}/Subscriptions/:id`,
      get: ({ at }) => {
        const { destination, context, types: asked, suspended } = find(at['id'])
        const resume = { target: `${SERVICE}/Resume/${at['id']}` }
        return {
          '@odata.type': '#EventDestination.v1_11_0.EventDestination',
          Id: at['id'],
          Name: 'Event subscription',
          Description: 'Who wants to know',
          Destination: destination,
          Context: context,
          Protocol: 'Redfish',
          EventTypes: asked.length === 0 ? types : asked,
          HttpHeaders: [], // never told (DSP2046 EventDestination)
          Status: { State: suspended ? 'Disabled' : 'Enabled' },
          ...(state.dialect.streamsEvents ? { Actions: { '#EventDestination.ResumeSubscription': resume } } : {}),
        }
      },
      delete: ({ at }) => {
        if (!subscriptions.delete(at['id'] ?? '')) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        return done
      },
    },
    {
      path: `${SERVICE}/Resume/:id`,
      post: ({ at }) => {
        find(at['id']).suspended = false
        return done
      },
    },
  ]
}

function headersIn(body: JsonObject): Record<string, string> {
  const pairs = listAt(body, 'HttpHeaders').flatMap((each) => Object.entries(objectOf(each) ?? {}))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
}

/** Server-sent events, from the one on that was heard last. */
function stream({ events }: State, { headers }: Call): Result {
  const last = headers['last-event-id']
  const after = typeof last === 'string' && /^\d{1,9}$/.test(last) ? Number(last) : undefined
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    stream: (send) => {
      send(': welcome\n\n')
      return events.listen((emitted) => {
        send(`id: ${emitted.id}\ndata: ${JSON.stringify(eventMessage(emitted, ''))}\n\n`)
      }, after)
    },
  }
}
