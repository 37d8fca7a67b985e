import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRenewalDue } from './renewal-due.ts'

const DAY = 86_400_000
const at = (days: number): Date => new Date(Date.parse('2026-11-24T00:00:00.000Z') + days * DAY)
/** `late`: by how many days our clock was ahead when the certificate came. */
const life = (days: number, late = 0) => ({
  issued_at: at(0).toISOString(),
  expires_at: at(days).toISOString(),
  received_at: at(late).toISOString(),
})
const isDue = (given: ReturnType<typeof life> | undefined, now: number, spread = 0, started = 0): boolean =>
  isRenewalDue({ life: given }, spread, at(now), at(started))

it('at two thirds of its life, or up to three quarters: not all of one day at once', () => {
  expect([239, 241].map((day) => isDue(life(360), day))).toEqual([false, true])
  expect([269, 271].map((day) => isDue(life(360), day, 1))).toEqual([false, true])
})

it('a clock that is wrong by whatever, but goes, changes nothing', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -3650, max: 3650, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (late, spread) => {
        const hours = 23 / 24
        // Right after it came it is never due, however far ahead the clock is, and at the end of its life it always is.
        expect(isDue(life(360, late), late + hours, spread)).toBe(false)
        expect(isDue(life(360, late), late + 360, spread)).toBe(true)
      },
    ),
  )
})

it('a clock that was wrong when it came, and is right now, asks in time', () => {
  expect(isDue(life(360, 3650), 241)).toBe(true)
  expect(isDue(life(360, -3650), 1)).toBe(true)
})

it('a clock far ahead asks again after a day at the soonest', () => {
  expect(isDue(life(360, 300), 300.9)).toBe(false)
  expect(isDue(life(360, 300), 301.1)).toBe(true)
})

it('one from before certificates were renewed, within an hour of the start', () => {
  expect(isDue(undefined, 0, 0)).toBe(true)
  expect(isDue(undefined, 0.5 / 24, 1)).toBe(false)
  expect(isDue(undefined, 1 / 24, 1)).toBe(true)
})
