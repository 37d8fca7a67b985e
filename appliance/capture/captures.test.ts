import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import type { NewReport } from '../ledger/outbox.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { type Deliveries, openDeliveries } from '../uplink/deliveries.ts'
import { type CaptureOrder, openCaptures, type Captures } from './captures.ts'

const FILE = Buffer.from('a pcap file')
const sha256 = createHash('sha256').update(FILE).digest('hex')
const node = randomUUID()
const place = { url: 'https://store.example/c', headers: { 'x-digest': 'abc' } }

let dir: string
let ledger: Ledger
let clock: ManualClock
let said: Extract<NewReport, { kind: 'capture' }>[]
let puts: { url: string; headers: unknown; body: string }[]
let answers: (number | Error)[]
let orders: CaptureOrder[]
let make: (order: CaptureOrder) => Promise<void>
let captures: Captures
let deliveries: Deliveries
let seq: number

function open(): Captures {
  return openCaptures({
    dir,
    ledger,
    outbox: { append: (report) => void (report.kind === 'capture' && said.push(report)) },
    clock,
    log: memoryLog(),
    async make(order) {
      orders.push(order)
      await make(order)
      writeFileSync(order.out, FILE)
      return { packets: 3, bytes: FILE.length, ended: 'time is up' }
    },
    deliveries,
  })
}

const send: typeof fetch = async (url, init) => {
  const { body, headers } = init as { body: Blob; headers: unknown }
  puts.push({ url: url as string, headers, body: await body.text() })
  const answer = answers.shift() ?? 200
  if (answer instanceof Error) throw answer
  return new Response(null, { status: answer })
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'captures-'))
  ledger = openLedger(':memory:')
  clock = new ManualClock()
  ;[said, puts, answers, orders, seq] = [[], [], [], [], 0]
  make = () => Promise.resolve()
  deliveries = openDeliveries(clock, send)
  captures = open()
})
afterEach(async () => {
  await captures.stop()
  ledger.close()
  rmSync(dir, { recursive: true })
})

function asked(more: object = {}): string {
  const capture = randomUUID()
  seq += 1
  const now = clock.now()
  const deadline = new Date(now.getTime() + 60_000).toISOString()
  const base = { id: randomUUID(), seq, node, generation: 1, issued_at: now.toISOString(), deadline }
  const macs = ['52:54:00:00:00:01']
  captures.accept({ ...base, kind: 'capture', capture, macs, seconds: 5, packets: 9, ...more })
  return capture
}
const phases = (): string[] => said.map(({ phase }) => phase)
const until = (count: number): Promise<void> => expect.poll(() => said.length).toBeGreaterThanOrEqual(count)

test('a capture is told, put where the cloud says, and gone from the disk', async () => {
  const capture = asked()
  await until(2)
  expect(orders[0]).toMatchObject({ macs: ['52:54:00:00:00:01'], seconds: 5, packets: 9, bytes: 64 * 2 ** 20 })
  expect(said[1]).toMatchObject({ phase: 'captured', packets: 3, bytes: FILE.length, sha256, note: 'time is up' })
  deliveries.place(capture, place)
  await until(3)
  expect(phases()).toEqual(['running', 'captured', 'done'])
  expect(puts).toEqual([{ url: place.url, headers: place.headers, body: FILE.toString() }])
  await expect.poll(() => readdirSync(dir)).toEqual([])
})

test('while the cloud gives no place, or refuses the file, it is asked again, and in the end the capture has failed', async () => {
  const capture = asked()
  await until(2)
  answers = [new Error('cut off'), 503]
  deliveries.place(capture, place)
  const turn = async (): Promise<boolean> => {
    await clock.advance(20_000)
    if (puts.length === 1) deliveries.place(capture, place)
    return phases().includes('failed')
  }
  await vi.waitUntil(turn, { timeout: 30_000, interval: 2 })
  expect(puts.length).toBe(2)
  expect(said.at(-1)).toMatchObject({ phase: 'failed', note: 'the capture could not be uploaded: HTTP 503' })
})

test('what can not be captured says why', async () => {
  make = () => Promise.reject(new Error('captures are made by tcpdump, which is not installed'))
  asked()
  await until(2)
  expect(said[1]).toMatchObject({ phase: 'failed', note: expect.stringContaining('tcpdump') as string })
})

test('a command that comes twice is one capture, one that comes late is none, and a site makes four at once', async () => {
  make = ({ signal }) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('ended'))))
  for (let each = 0; each < 4; each += 1) asked()
  asked({ seq: 1 })
  expect(orders.length).toBe(4)
  asked({ seq: 5 })
  asked({ seq: 6, deadline: new Date(clock.now().getTime() - 1).toISOString() })
  expect(said.slice(4).map(({ phase, note }) => `${phase}: ${note}`)).toEqual([
    'failed: 4 captures run at this site already: ask again later',
    'failed: it reached the site late',
  ])
})

test('a capture that a restart interrupted is told as failed, and its file is gone', async () => {
  const capture = randomUUID()
  writeFileSync(join(dir, `${node}_${capture}_.pcap`), 'half')
  captures = open()
  expect(said).toMatchObject([{ node, capture, phase: 'failed', note: expect.stringContaining('restarted') as string }])
  expect(readdirSync(dir)).toEqual([])
})
