import { beforeEach, expect, test } from 'vitest'
import type { DhcpPacket } from '@bloomery/dhcp/packet.ts'
import { openMetrics, type Metrics } from '../metrics.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { type LateStarts, lateStarts } from './late-starts.ts'

const MAC = '52:54:00:00:00:01'
let now: number
let metrics: Metrics
let log: ReturnType<typeof memoryLog>
let starts: LateStarts

beforeEach(() => {
  now = 0
  metrics = openMetrics()
  log = memoryLog()
  starts = lateStarts({ log, metrics, clock: { now: () => new Date(now) } })
  now = 600_000
})

function asks(secs: number, ipxe = false): number | undefined {
  starts.heard({ type: 'discover', mac: MAC, packet: { secs } as DhcpPacket }, ipxe)
  return starts.secondsOf(MAC)
}

test('a machine that had asked for half a minute before it was heard is told of once, with what to do', () => {
  expect([asks(28), asks(60)]).toEqual([28, 28])
  expect(log.lines.map(({ message }) => message)).toEqual([
    `${MAC} was first heard 28 s after it began to ask: its port of the switch was deaf until then, as spanning tree makes it: make it an edge port (portfast)`,
  ])
  expect(metrics.text()).toMatch(/^bloomery_dhcp_late_starts_total 1$/m)
})

test('one that is heard from the start and asks for long is not late', () => {
  expect([asks(0), asks(4), asks(12), asks(28)]).toEqual([undefined, undefined, undefined, undefined])
  now += 300_000
  expect(asks(28)).toBe(28)
})

test.each([
  ['iPXE, which counts from another moment', 30, true, undefined],
  ['seconds the wrong way round', 0x1c00, false, 28],
  ['a lost first message', 4, false, undefined],
])('%s', (_, secs, ipxe, late) => {
  expect(asks(secs, ipxe)).toBe(late)
})

test('who began before we listened is not called late', () => {
  starts = lateStarts({ log, metrics, clock: { now: () => new Date(now) } })
  now += 5_000
  expect(asks(28)).toBeUndefined()
})

test('a flood of cards is forgotten from the oldest on', () => {
  asks(28)
  for (let each = 0; each < 9_000; each += 1)
    starts.heard({ type: 'discover', mac: `card ${each}`, packet: { secs: 0 } as DhcpPacket }, false)
  expect(starts.secondsOf(MAC)).toBeUndefined()
})
