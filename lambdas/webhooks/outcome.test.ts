import { expect, it } from 'vitest'
import type { Event } from '../../contract/event.ts'
import type { Standing, Waiting } from '../store/webhooks.ts'
import { pauseSeconds } from './backoff.ts'
import { settle } from './outcome.ts'

const now = new Date('2026-11-23T10:00:00.000Z')
const standing: Standing = {
  failures: 0,
  failing_since: null,
  last_error: null,
  last_success_at: null,
  resting_until: null,
  of: 1,
  holder: 'me',
  held_until: null,
}
const waiting = (more: Partial<Waiting> = {}): Waiting => ({
  id: '1be26c0b-03f2-4d2e-ae87-c02d7f33c123',
  event: { id: 'an event' } as Event,
  queued_at: '2026-11-23T09:59:00.000Z',
  next_at: '2026-11-23T09:59:00.000Z',
  attempts: 0,
  last_error: null,
  ...more,
})
const taken = { taken: true } as const
const failed = { taken: false, why: 'HTTP 500' } as const
const half = () => 0.5
const places = (settled: ReturnType<typeof settle>) =>
  settled.writes.map((write) =>
    'put' in write ? `put ${write.put.sk}` : 'delete' in write ? `delete ${write.delete.sk}` : '',
  )

it('what was taken is gone, and the receiver is well again', () => {
  const settled = settle(
    'w',
    { ...standing, failures: 3, last_error: 'x' },
    [{ waiting: waiting(), answer: taken }],
    now,
    half,
  )
  expect(places(settled)).toEqual(['delete delivery#an event'])
  expect(settled.standing).toMatchObject({ failures: 0, last_error: null, last_success_at: now.toISOString() })
})

it('what failed waits for longer each time; a receiver that took nothing rests', () => {
  const first = settle('w', standing, [{ waiting: waiting(), answer: failed }], now, half)
  expect(first.writes).toMatchObject([
    { put: { value: { attempts: 1, last_error: 'HTTP 500', next_at: '2026-11-23T10:00:03.750Z' } }, expect: 'present' },
  ])
  expect(first.standing).toMatchObject({ failures: 1, failing_since: now.toISOString(), last_error: 'HTTP 500' })
  const later = settle(
    'w',
    { ...first.standing, failures: 9 },
    [{ waiting: waiting({ attempts: 9 }), answer: failed }],
    now,
    half,
  )
  expect(later.standing).toMatchObject({ failures: 10, failing_since: now.toISOString() })
  expect(later.standing.resting_until).toBe('2026-11-23T10:32:00.000Z')
})

it('one that is refused among others does not make the receiver rest', () => {
  const refused = { taken: false, why: 'HTTP 400', refused: true } as const
  const settled = settle(
    'w',
    standing,
    [
      { waiting: waiting(), answer: refused },
      { waiting: waiting(), answer: taken },
    ],
    now,
    half,
  )
  expect(settled.standing.resting_until).toBe(null)
  expect(places(settled)).toEqual(['put delivery#an event', 'delete delivery#an event'])
})

it('is given up after a day of failures, or ten refusals, and kept', () => {
  const refused = { taken: false, why: 'HTTP 400', refused: true } as const
  for (const outcome of [
    { waiting: waiting({ queued_at: '2026-11-22T10:00:00.000Z' }), answer: failed },
    { waiting: waiting({ attempts: 9 }), answer: refused },
  ]) {
    const settled = settle('w', standing, [outcome], now, half)
    expect(places(settled)).toEqual(['delete delivery#an event', 'put failure#an event'])
  }
  expect(places(settle('w', standing, [{ waiting: waiting({ attempts: 8 }), answer: refused }], now, half))).toEqual([
    'put delivery#an event',
  ])
})

it('a receiver that says gone is heard', () => {
  expect(settle('w', standing, [{ waiting: waiting(), answer: { ...failed, gone: true } }], now, half).gone).toBe(true)
})

it('pauses double up to an hour, with a half of chance; a receiver may ask for more within the hour', () => {
  expect([1, 2, 3, 10, 11, 1000].map((failures) => pauseSeconds(failures, 1))).toEqual([5, 10, 20, 2560, 3600, 3600])
  expect(pauseSeconds(1, 0)).toBe(2.5)
  expect([pauseSeconds(1, 0, 60), pauseSeconds(1, 0, 1e9)]).toEqual([60, 3600])
})
