import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { connect } from './client.ts'
import { listenToEvents } from './event-listener.ts'
import { bmcWith, fault, options, reply, resources, type Trouble } from './testing/troubled-bmc.ts'
import { virtualClock } from './testing/virtual-clock.ts'

describe('a stream of events', () => {
  const events = {
    ...resources,
    '/redfish/v1/': {
      ...(resources['/redfish/v1/'] as object),
      EventService: { '@odata.id': '/redfish/v1/EventService' },
    },
    '/redfish/v1/EventService': { ServerSentEventUri: '/redfish/v1/EventService/SSE' },
  }
  const listen = async (streams: Trouble[]) => {
    Object.assign(resources, events)
    const { transport, asked } = bmcWith('', [], undefined, streams)
    const clock = virtualClock()
    const ended = new AbortController()
    const trouble: string[] = []
    const work = async (): Promise<void> => {
      const bmc = await connect({ ...options, transport, clock })
      const onEvents = (): void => void (streams.length === 0 && ended.abort())
      await listenToEvents(bmc, {
        onEvents,
        onTrouble: ({ message }) => void trouble.push(message),
        signal: ended.signal,
      })
    }
    const failed = await clock.run(
      Promise.race([work(), once(ended.signal, 'abort')]).then(
        () => undefined,
        (error: unknown) => (error as Error).message,
      ),
    )
    return { failed, trouble, opened: asked.filter(({ method }) => method === 'STREAM').length }
  }

  it.each<[string, Trouble[], number]>([
    ['500', [reply(500)], 2],
    ['503', [reply(503)], 2],
    ['409', [reply(409)], 2],
    ['a redirect', [reply(302, undefined, { location: '/elsewhere' })], 2],
    ['a session that the BMC has forgotten', [reply(401)], 2],
    ['a broken connection', [fault('reset'), fault('stale')], 3],
    ['an expired certificate that is renewed', [fault('tls')], 2],
    ['a refused connection', [fault('refused')], 2],
    ['a stream that ends midway', [reply(200, 'id: 1\ndata: {"Ev')], 2],
    ['a stream that breaks', [reply(200, ': so far\n\n', { 'x-then': 'breaks' })], 2],
    ['an empty body', [reply(200)], 2],
    ['rubbish', [reply(200, '<html>\n\n'), reply(200, 'data: [7]\n\n')], 3],
    ['an event without an end', [reply(200, 'x'.repeat(2_000_000))], 2],
  ])('is opened again after %s', async (_name, streams, times) => {
    expect(await listen(streams)).toMatchObject({ failed: undefined, opened: times })
  })

  it.each<[string, Trouble[], RegExp]>([
    ['403', [reply(403)], /^BMC bmc\.example, listen to events: HTTP 403; give this account the privilege/],
    ['404', [reply(404)], /HTTP 404/],
    ['405', [reply(405)], /HTTP 405/],
    ['401, and again', [reply(401), reply(401)], /user "admin" or its password is not accepted/],
  ])('is given up after %s, and it is said why', async (_name, streams, why) => {
    expect((await listen(streams)).failed).toMatch(why)
  })
})
