import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connect, type Redfish } from './client.ts'
import { type EventMessage, isAboutPower } from './event.ts'
import { listenToEvents } from './event-listener.ts'
import { type EventReceiver, startEventReceiver } from './event-receiver.ts'
import { listSubscriptions, renewSubscription } from './event-subscription.ts'
import { reset } from './power.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { dialects } from './service/dialect.ts'
import { findSystem, type System } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'

/** As soon as it is so, however busy the machine. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000 })

const hasty = {
  now: () => performance.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms / 50)
    return () => clearTimeout(timer)
  },
}
let server: RunningRedfish
let bmc: Redfish
let system: System
let told: EventMessage[]

async function start(name: string, port = 0): Promise<void> {
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: 'admin', password: 'paper-secret' }]
  const dialect = dialects.find((each) => each.name === name)!
  server = await startRedfish({
    host: '127.0.0.1',
    port,
    users,
    machine: paperMachine(),
    dialect,
    clock: hasty,
    onError,
  })
}

beforeEach(async () => {
  told = []
  await start('standard')
  const login = { username: 'admin', password: 'paper-secret', timeoutMs: 600_000, clock: hasty }
  bmc = await connect({ address: server.url, ...login })
  system = await findSystem(bmc)
})
afterEach(async () => {
  await bmc.close()
  await server.close()
})

const ids = (): string[] => told.flatMap(({ events }) => events.map(({ id }) => id))

describe('over a connection that is held', () => {
  it('a BMC tells when its machine goes on and off', async () => {
    const ended = new AbortController()
    const opened = Promise.withResolvers<void>()
    const onEvents = (message: EventMessage) => void told.push(message)
    const listening = listenToEvents(bmc, { onEvents, onOpen: opened.resolve, signal: ended.signal })
    await opened.promise
    await reset(bmc, system, 'on')
    await reset(bmc, system, 'off')
    await soon(() => expect(ids()).toEqual(['ResourcePoweredOn', 'ResourcePoweredOff']))
    expect(told[0]!.events[0]).toMatchObject({ origin: system.path, severity: 'OK' })
    expect(told.every(({ events }) => events.every(isAboutPower))).toBe(true)
    ended.abort()
    await listening
  })

  it('what happened while it was broken is heard afterwards, once', async () => {
    const ended = new AbortController()
    const trouble: string[] = []
    let opened = 0
    const listening = listenToEvents(bmc, {
      onEvents: (message) => void told.push(message),
      onOpen: () => void (opened += 1),
      onTrouble: ({ message }) => void trouble.push(message),
      signal: ended.signal,
    })
    await soon(() => expect(opened).toBe(1))
    await reset(bmc, system, 'on')
    await soon(() => expect(ids()).toHaveLength(1))
    server.breakConnections()
    server.state.sessions.clear()
    await reset(bmc, system, 'off')
    await soon(() => expect(ids()).toEqual(['ResourcePoweredOn', 'ResourcePoweredOff']))
    expect(opened).toBe(2)
    ended.abort()
    await listening
  })

  it('silence that is too long is not believed', async () => {
    const ended = new AbortController()
    let opened = 0
    const onOpen = () => void (opened += 1)
    const listening = listenToEvents(bmc, { onEvents: () => {}, onOpen, signal: ended.signal, quietMs: 2000 })
    await soon(() => expect(opened).toBeGreaterThan(2))
    ended.abort()
    await listening
  })

  it('a BMC that has no such thing says so', async () => {
    const { port } = server
    await server.close()
    await start('hpe', port)
    const signal = AbortSignal.timeout(30_000)
    await expect(listenToEvents(bmc, { onEvents: () => {}, signal })).rejects.toThrow(
      /listen to events: the BMC sends no events over a connection; subscribe by URL instead/,
    )
  })
})

describe('to a receiver', () => {
  let receiver: EventReceiver
  beforeEach(async () => {
    receiver = await startEventReceiver({ host: '127.0.0.1', port: 0 })
  })
  afterEach(() => receiver.close())

  it.each(['standard', 'dell', 'hpe'])('a BMC that speaks as %s POSTs what happens', async (name) => {
    const { port } = server
    await server.close()
    await start(name, port)
    const inlet = receiver.open((message) => void told.push(message))
    const at = await findSystem(bmc)
    const destination = `http://127.0.0.1:${receiver.port}${inlet.path}`
    await renewSubscription(bmc, { destination, context: inlet.context })
    await reset(bmc, at, 'on')
    await soon(() => expect(ids()).toEqual(['ResourcePoweredOn']))
    expect(told[0]!.context).toBe(inlet.context)
  })

  it('nobody else is heard', async () => {
    const inlet = receiver.open((message) => void told.push(message))
    const base = `http://127.0.0.1:${receiver.port}`
    const body = (context?: string) =>
      JSON.stringify({ Context: context, Events: [{ MessageId: 'ResourceEvent.1.3.ResourcePoweredOff' }] })
    const post = async (path: string, text: string) =>
      (await fetch(`${base}${path}`, { method: 'POST', body: text })).status
    expect(await post('/redfish-events/guess', body())).toBe(404)
    expect(await post('/', body())).toBe(404)
    expect(await post(inlet.path, body('another'))).toBe(204)
    expect(await post(inlet.path, 'rubbish')).toBe(204)
    expect((await fetch(`${base}${inlet.path}`)).status).toBe(405)
    await expect(post(inlet.path, 'x'.repeat(2 * 1024 * 1024))).rejects.toThrow()
    expect(told).toEqual([])
    expect(await post(inlet.path, body(inlet.context))).toBe(204)
    expect(ids()).toEqual(['ResourcePoweredOff'])
    inlet.close()
    expect(await post(inlet.path, body(inlet.context))).toBe(404)
  })

  it('one that went away is suspended, and subscribed anew where it is now', async () => {
    const inlet = receiver.open(() => {})
    const wish = { destination: `http://127.0.0.1:${receiver.port}${inlet.path}`, context: inlet.context }
    await renewSubscription(bmc, wish)
    await receiver.close()
    await reset(bmc, system, 'on')
    await soon(() => expect([...server.state.subscriptions.values()][0]!.suspended).toBe(true))
    await renewSubscription(bmc, wish)
    expect([...server.state.subscriptions.values()][0]!.suspended).toBe(false)
    expect(await listSubscriptions(bmc)).toHaveLength(1)
  })
})
