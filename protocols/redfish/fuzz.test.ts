import { env } from 'node:process'
import { expect, test } from 'vitest'
import { readBios, setBios } from './bios.ts'
import { readBoot, setBoot } from './boot.ts'
import { readBootOrder, setBootOrder } from './boot-option.ts'
import { generateCsr, listCertificates } from './certificate.ts'
import { connect, type Redfish } from './client.ts'
import type { Clock } from './clock.ts'
import { readComponents } from './components.ts'
import { RedfishError } from './error.ts'
import { listenToEvents } from './event-listener.ts'
import { renewSubscription } from './event-subscription.ts'
import { pushFirmware } from './firmware-push.ts'
import { readFirmware } from './firmware.ts'
import { readIndicators } from './indicator.ts'
import { readInventory } from './inventory.ts'
import { resetManager, setClock } from './manager.ts'
import { MessageRegistries } from './message-registry.ts'
import { readNtp } from './network-protocol.ts'
import { enrolSecureBootKeys, readSecureBootKeys } from './secure-boot-keys.ts'
import { readSensors } from './sensors.ts'
import { readStorage } from './storage.ts'
import { readPower, reset } from './power.ts'
import { createService } from './service/service.ts'
import { findSystem } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'
import { type Reply, type Request, type Transport, TransportFault } from './transport.ts'
import { insertMedia } from './virtual-media.ts'

/** FUZZ_PACKETS=1000000 for the whole count, as with the other protocols. */
const REPLIES = Number(env['FUZZ_PACKETS'] ?? 100_000)

/** Mulberry32: the same replies in each run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const odd: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  '/',
  '..',
  'http://[',
  '__proto__',
  [],
  {},
  [[]],
  { '@odata.id': 7 },
  'x'.repeat(5000),
]
const statuses = [200, 200, 200, 201, 202, 204, 301, 308, 400, 401, 404, 409, 412, 428, 429, 500, 503, 0, 999]

/** Whatever is waited for is over at once. The client's own deadlines count by it. */
function impatientClock(): Clock {
  let now = 0
  return {
    now: () => now,
    after: (ms, run) => {
      const waiting = setImmediate(() => {
        now += ms
        run()
      })
      return () => clearImmediate(waiting)
    },
  }
}

/** Another value somewhere in the tree. */
function mutateTree(pick: (below: number) => number, value: unknown): unknown {
  if (pick(6) === 0) return odd[pick(odd.length)]
  if (Array.isArray(value)) {
    if (value.length === 0) return odd
    const at = pick(value.length)
    return value.map((each: unknown, index) => (index === at ? mutateTree(pick, each) : each))
  }
  if (typeof value !== 'object' || value === null) return odd[pick(odd.length)]
  const keys = Object.keys(value)
  const key = keys[pick(keys.length)]
  if (key === undefined) return odd[pick(odd.length)]
  const record = value as Record<string, unknown>
  if (pick(8) === 0) return Object.fromEntries(Object.entries(record).filter(([each]) => each !== key))
  return { ...record, [key]: mutateTree(pick, record[key]) }
}

function mutate(pick: (below: number) => number, reply: Reply): Reply {
  const text = Buffer.from(reply.body).toString()
  const headers = { ...reply.headers }
  if (pick(10) === 0) headers['location'] = String(odd[pick(odd.length)])
  if (pick(10) === 0) headers['etag'] = String(odd[pick(odd.length)])
  if (pick(10) === 0) headers['retry-after'] = ['0', '-1', '99999', 'Fri, 31 Dec 1999 23:59:59 GMT'][pick(4)]!
  const status = pick(5) === 0 ? statuses[pick(statuses.length)]! : reply.status
  switch (pick(4)) {
    case 0: {
      const bytes = Buffer.from(text)
      for (let changes = pick(6); changes > 0 && bytes.length > 0; changes -= 1) bytes[pick(bytes.length)] = pick(256)
      return { status, headers, body: bytes.subarray(0, pick(4) === 0 ? pick(bytes.length + 1) : bytes.length) }
    }
    case 1:
      return { ...reply, headers, status }
    default:
      return {
        status,
        headers,
        body: Buffer.from(text === '' ? '' : JSON.stringify(mutateTree(pick, JSON.parse(text)))),
      }
  }
}

const EVENT = `id: 7\nretry: 500\ndata: {"Events": [{"MessageId": "ResourceEvent.1.3.ResourcePoweredOn", "Message": "x"}]}\n\n`

/** Events, cut anywhere and with bytes changed, and an end or a break. */
async function* chunksOf(pick: (below: number) => number, path: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(`: ${path}\n\n${EVENT.repeat(1 + pick(3))}`)
  for (let changes = pick(12); changes > 0; changes -= 1) bytes[pick(bytes.length)] = pick(256)
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + pick(60)
    yield bytes.subarray(at, next)
    at = next
  }
  if (pick(2) === 0) throw new TransportFault('reset', 'the connection broke')
}

/** Until the stream was opened anew some times. */
async function listenForAWhile(bmc: Redfish): Promise<number> {
  const ended = new AbortController()
  let [opened, events] = [0, 0]
  const look = (): void => {
    opened += 1
    if (opened > 3) ended.abort()
  }
  await listenToEvents(bmc, {
    signal: ended.signal,
    onOpen: look,
    onTrouble: look,
    onEvents: (message) => (events += message.events.length),
  })
  return events
}

test(
  `${REPLIES} mutated replies end every operation in a value or a RedfishError, in time`,
  { timeout: 300_000 + REPLIES * 3 },
  async () => {
    const pick = generator(7)
    const counts = { replies: 0, values: 0, errors: 0 }
    const faults: unknown[] = []
    const service = createService({
      users: [{ name: 'admin', password: 'paper-secret' }],
      machine: paperMachine(),
      onError: (error) => faults.push(error),
    })
    // What a GET answers is made once: the mutations are what is wanted.
    const known = new Map<string, Reply>()
    const authorization = `Basic ${Buffer.from('admin:paper-secret').toString('base64')}`
    const truth = async ({ method, path, body }: Request): Promise<Reply> => {
      const text = typeof body === 'string' ? body : ''
      const result = await service.handle({ method, path, headers: { authorization }, body: text })
      const sent = result.body === undefined ? '' : JSON.stringify(result.body)
      return { status: result.status, headers: result.headers ?? {}, body: Buffer.from(sent) }
    }
    const transport: Transport = {
      async send(request: Request) {
        const reply = known.get(request.path) ?? (await truth(request))
        if (request.method === 'GET') known.set(request.path, reply)
        counts.replies += 1
        return pick(3) === 0 ? mutate(pick, reply) : reply
      },
      async open({ path }: Request) {
        counts.replies += 1
        const status = pick(8) === 0 ? statuses[pick(statuses.length)]! : 200
        return { status, headers: {}, chunks: chunksOf(pick, path), close: () => undefined }
      },
      close: () => undefined,
    }
    const clock = impatientClock()
    const timeoutMs = 20_000
    while (counts.replies < REPLIES) {
      const start = clock.now()
      try {
        await (async () => {
          const bmc = await connect({
            address: 'http://bmc',
            username: 'admin',
            password: 'paper-secret',
            timeoutMs,
            clock,
            random: () => 0.5,
            transport,
          })
          const system = await findSystem(bmc)
          const image = 'http://10.0.0.1/boot.iso'
          const deeds = [
            () => readPower(bmc, system),
            () => reset(bmc, system, 'on'),
            () => readBoot(bmc, system),
            () => setBoot(bmc, system, { target: 'Pxe', enabled: 'Once', mode: 'UEFI' }),
            () => insertMedia(bmc, system, { type: 'CD', image }),
            () => readBios(bmc, system),
            () => setBios(bmc, system, { NumLock: 'Off' }),
            () => readIndicators(bmc, system),
            () => readComponents(bmc, system),
            () => readInventory(bmc, system),
            () => readStorage(bmc, system),
            () => readFirmware(bmc),
            () => setClock(bmc, system, '2026-01-01T00:00:00Z'),
            () => resetManager(bmc, system),
            () => readBootOrder(bmc, system),
            () => setBootOrder(bmc, system, ['Boot0001']),
            () => listCertificates(bmc),
            () => generateCsr(bmc, '/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates', { commonName: 'x' }),
            () => readSecureBootKeys(bmc, system),
            () => enrolSecureBootKeys(bmc, system, [{ database: 'dbx', hashes: ['00'.repeat(32)] }]),
            () => readNtp(bmc, system),
            () => readSensors(bmc, system),
            () => new MessageRegistries(bmc).meaning('ResourceEvent.1.3.0.ResourcePoweredOn', ['x']),
            () => renewSubscription(bmc, { destination: 'https://10.0.0.1/', context: 'secret' }),
            () => pushFirmware(bmc, { name: 'x-1.2.3.bin', image: { size: 1, read: async function* () {} } }),
            () => listenForAWhile(bmc),
          ]
          for (let left = 8; left > 0; left -= 1) {
            await deeds[pick(deeds.length)]!()
            counts.values += 1
          }
        })()
      } catch (error) {
        if (!(error instanceof RedfishError)) throw error
        expect(error.message.length).toBeLessThan(1000)
        counts.errors += 1
      }
      // No single deed has more than a few dozen requests, each with the same deadline.
      expect(clock.now() - start).toBeLessThan(timeoutMs * 400)
      service.state.sessions.clear()
    }
    expect(faults).toEqual([])
    expect(counts.values).toBeGreaterThan(1000)
    expect(counts.errors).toBeGreaterThan(1000)
  },
)
