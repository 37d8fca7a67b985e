import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HealthLevel, healthLevels, rank } from '../../contract/health.ts'
import { type Beliefs, believe, causesOf, isAlarmed } from './beliefs.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const start = Date.parse('2026-11-23T10:00:00.000Z')

const seen = (level: HealthLevel) => (level === 'OK' ? [] : [{ subject: 'Inlet', level, text: `is ${level}` }])

/** What is believed after each of these looks, ten minutes apart. */
function course(levels: readonly HealthLevel[], everyMs = 10 * MINUTE): HealthLevel[] {
  let beliefs: Beliefs = {}
  return levels.map((level, index) => {
    beliefs = believe(beliefs, seen(level), new Date(start + index * everyMs))
    return beliefs['Inlet']?.level ?? 'OK'
  })
}

const changes = (of: readonly HealthLevel[]): number =>
  of.filter((level, index) => level !== (of[index - 1] ?? 'OK')).length

describe('what is believed', () => {
  it('gets worse when two looks in a row say so, and better when three do', () => {
    const [ok, bad] = ['OK', 'Critical'] as const
    expect(course([ok, bad, bad, ok, ok, ok])).toEqual([ok, ok, bad, bad, bad, ok])
    expect(course([bad, ok, bad, ok, bad])).toEqual([ok, ok, ok, ok, ok])
  })

  it('is as bad as both looks agree on', () => {
    expect(course(['Critical', 'Warning'])).toEqual(['OK', 'Warning'])
    expect(course(['Warning', 'Critical', 'Critical', 'Critical'])).toEqual(['OK', 'Warning', 'Warning', 'Critical'])
    expect(course(['Critical', 'Critical', 'Warning', 'OK', 'OK'])).toEqual([
      'OK',
      'Critical',
      'Critical',
      'Critical',
      'Warning',
    ])
  })

  it('asks for a second look at once when the first alarms', () => {
    const once = believe({}, seen('Warning'), new Date(start))
    expect(isAlarmed(once)).toBe(true)
    expect(causesOf(once)).toEqual([])
    const twice = believe(once, seen('Warning'), new Date(start + 30_000))
    expect(isAlarmed(twice)).toBe(false)
    expect(causesOf(twice)).toMatchObject([{ subject: 'Inlet', level: 'Warning', since: '2026-11-23T10:00:30.000Z' }])
    expect(isAlarmed(believe(twice, [], new Date(start + MINUTE)))).toBe(false)
  })

  it('tells a bounded number of subjects, the worst of them', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      subject: `s${index}`,
      level: 'Warning' as const,
      text: 'x',
    }))
    const bad = { subject: 'the worst', level: 'Critical' as const, text: 'y' }
    let beliefs = believe({}, [...many, bad], new Date(start))
    beliefs = believe(beliefs, [...many, bad], new Date(start + MINUTE))
    expect(Object.keys(beliefs)).toHaveLength(64)
    expect(causesOf(beliefs)[0]?.subject).toBe('the worst')
  })

  it('is forgotten a day after all is well', () => {
    let beliefs: Beliefs = {}
    const looks: HealthLevel[] = ['Warning', 'Warning', 'OK', 'OK', 'OK']
    looks.forEach((level, index) => (beliefs = believe(beliefs, seen(level), new Date(start + index * 10 * MINUTE))))
    expect(Object.keys(beliefs)).toEqual(['Inlet'])
    expect(believe(beliefs, [], new Date(start + 2 * DAY))).toEqual({})
  })
})

const level = fc.constantFrom(...healthLevels)

describe('whatever a sensor says', () => {
  it('nothing flaps: a day of looks at any pace changes what is believed a few times at most', () => {
    fc.assert(
      fc.property(
        fc.array(level, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (pattern, minutes) => {
          const looks = Math.floor((DAY - 1) / (minutes * MINUTE))
          const seenLevels = Array.from({ length: looks }, (_, index) => pattern[index % pattern.length] ?? 'OK')
          // Two levels that each may come and go, and the pauses between double from a quarter of an hour to six.
          expect(changes(course(seenLevels, minutes * MINUTE))).toBeLessThanOrEqual(32)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('what stays is believed in the end, and after two looks what is no better than both', () => {
    fc.assert(
      fc.property(fc.array(level, { maxLength: 40 }), level, (before, final) => {
        const steady = Array.from({ length: 60 }, () => final)
        expect(course([...before, ...steady]).at(-1)).toBe(final)
      }),
    )
    fc.assert(
      fc.property(level, level, (first, second) => {
        expect(rank(course([first, second]).at(-1) ?? 'OK')).toBe(Math.min(rank(first), rank(second)))
      }),
    )
  })
})
