import { expect, test } from 'vitest'
import { openTimeline } from './timeline.ts'

const A = '52:54:00:00:00:0a'
const B = '52:54:00:00:00:0b'

function at(seconds: number): Date {
  return new Date(seconds * 1_000)
}

test('the newest event of any of the MACs is told with its age', () => {
  let now = at(100)
  const timeline = openTimeline(() => now)
  timeline.seen(A, 'dhcp ack', { address: '10.1.0.5' })
  now = at(110)
  timeline.seen(B, 'kernel', { bytes: 9, size: 9 })
  now = at(152)
  expect(timeline.lastSeen([A, B], at(0))).toBe('last seen: kernel fetched over HTTP 42 s ago')
  expect(timeline.lastSeen([A], at(0))).toBe('last seen: address 10.1.0.5 leased by DHCP 52 s ago')
  expect(timeline.lastSeen([A], at(101))).toBeUndefined()
  expect(timeline.lastSeen(['52:54:00:00:00:0c'], at(0))).toBeUndefined()
})

test('a transfer that broke off says how far it came', () => {
  const timeline = openTimeline(() => at(1))
  timeline.seen(A, 'initrd', { bytes: 5, size: 9 })
  expect(timeline.lastSeen([A], at(0))).toBe('last seen: ramdisk fetched over HTTP, 5 of 9 bytes, 0 s ago')
})

test('an event that repeats is kept once, with its last time', () => {
  let now = at(1)
  const timeline = openTimeline(() => now)
  timeline.seen(A, 'dhcp discover')
  now = at(9)
  timeline.seen(A, 'dhcp discover')
  expect(timeline.of(A)).toEqual([{ at: at(9), kind: 'dhcp discover', detail: {}, times: 2 }])
})

test('neither many events nor many machines take more memory than their bound', () => {
  const timeline = openTimeline(() => at(1))
  for (let count = 0; count < 100; count += 1) timeline.seen(A, count % 2 === 0 ? 'lookup' : 'heartbeat')
  expect(timeline.of(A)).toHaveLength(32)
  for (let count = 0; count < 9_000; count += 1) timeline.seen(`m${count}`, 'lookup')
  expect(timeline.of(A)).toEqual([])
  expect(timeline.of('m0')).toEqual([])
  expect(timeline.of('m8999')).toHaveLength(1)
})

test('the way of a boot is told step by step from a moment on, and no longer than a report holds', () => {
  let now = 0
  const timeline = openTimeline(() => new Date(now))
  timeline.seen('a', 'heartbeat')
  now = 1_000
  timeline.seen('a', 'dhcp discover')
  timeline.seen('a', 'dhcp discover')
  timeline.seen('b', 'dhcp ack', { address: '10.1.0.7' })
  now = 2_000
  timeline.seen('a', 'tftp', { file: 'snponly.efi', bytes: 5, size: 10 })
  expect(timeline.marks(['a', 'b'], new Date(500))).toEqual([
    { at: '1970-01-01T00:00:01.000Z', seen: 'DHCP discover', times: 2 },
    { at: '1970-01-01T00:00:01.000Z', seen: 'DHCP ack of 10.1.0.7', times: 1 },
    { at: '1970-01-01T00:00:02.000Z', seen: 'loader snponly.efi fetched over TFTP, 5 of 10 bytes', times: 1 },
  ])
  for (let round = 0; round < 30; round += 1) {
    timeline.seen('a', 'dhcp discover')
    timeline.seen('a', 'dhcp offer', { address: '10.1.0.8' })
  }
  expect(timeline.marks(['a'], new Date(0))).toHaveLength(24)
})
