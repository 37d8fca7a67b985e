import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { policyOf, powerConfig } from './policy.ts'
import { afterPlan, heard, newWatch, type Heard, type Tell, type Watch } from './watch.ts'

type State = 'power on' | 'power off'

const policy = policyOf(powerConfig.parse({}))
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const on: Heard = { power: 'power on' }
const off: Heard = { power: 'power off' }
const silent: Heard = { silent: 'no answer within 20 s' }

/** What is told of a BMC, and when, while it says `says` at each time that it is asked, `took` ms later. */
function watched(hours: number, says: (at: number) => Heard, { known = 'power on' as State | null, took = 5 } = {}) {
  let watch = newWatch(known, 0, false)
  const told: { at: number; what: Tell }[] = []
  const asked: number[] = []
  while (watch.due < hours * HOUR) {
    const at = watch.due
    const what = says(at)
    const now = at + ('silent' in what ? 20_000 : took)
    const after = heard(watch, what, { asked: at, now, chance: 0.5 }, policy)
    expect(after.watch.due).toBeGreaterThan(now)
    asked.push(at)
    told.push(...after.tell.map((each) => ({ at: now, what: each })))
    watch = after.watch
  }
  return { told, asked, watch, kinds: told.map(({ what }) => Object.keys(what)[0]) }
}

const gapsOf = (asked: number[]) => asked.slice(1).map((at, index) => Math.round((at - asked[index]!) / SECOND))

it('asks a new machine that stands still ever more seldom, to the interval of idle ones', () => {
  const gaps = gapsOf(watched(1, () => on, { known: null }).asked)
  expect(gaps.slice(0, 3)).toEqual([5, 5, 5])
  expect(gaps.at(-1)).toBe(120)
  expect(gaps).toEqual(gaps.toSorted((a, b) => a - b))
})

it('asks one that is known and stands still as seldom as that from the first look on, so that a start is no storm', () => {
  const { asked, told } = watched(1, () => on)
  expect(new Set(gapsOf(asked))).toEqual(new Set([120]))
  expect(told).toEqual([])
})

it('asks often again after a change, and after a plan', () => {
  const { watch, asked } = watched(2, (at) => (at < HOUR ? on : off))
  const change = asked.findIndex((at) => at >= HOUR)
  expect(asked[change + 2]! - asked[change + 1]!).toBeLessThan(6 * SECOND)
  expect(afterPlan(watch, 'power on', 2 * HOUR, policy)).toMatchObject({ due: 2 * HOUR + 5000, known: 'power on' })
})

it('tells a change when a second reading confirms it, and the first look at a machine at once', () => {
  const { told } = watched(2, (at) => (at < HOUR ? on : off))
  expect(told).toEqual([{ at: expect.any(Number), what: { power: 'power off' } }])
  expect(told[0]!.at - HOUR).toBeLessThanOrEqual(policy.idle + 3000)
  expect(watched(1, () => on, { known: null }).told).toEqual([{ at: 5, what: { power: 'power on' } }])
})

it('does not tell a wrong word', () => {
  let said = 0
  expect(watched(2, () => (++said === 20 ? off : on)).told).toEqual([])
})

it('asks who is slow apart from the others, thinks no worse of it, and takes it back', () => {
  const { told, watch } = watched(3, () => on, { took: 5000 })
  expect([told, watch.lane, watch.misses]).toEqual([[], 'slow', 0])
  const later = heard(watch, on, { asked: 0, now: 5, chance: 0 }, policy)
  expect(later.watch.lane).toBe('steady')
})

describe('a BMC that is silent', () => {
  it('is a fault after so many misses and so long, not before', () => {
    const { told, asked } = watched(1, () => silent)
    const [first] = told
    expect(first!.what).toEqual({
      fault: expect.stringMatching(/^its BMC did not answer \d+ times in \d+ min: no answer within 20 s$/),
    })
    expect(first!.at).toBeGreaterThanOrEqual(policy.silence)
    expect(asked.filter((at) => at < first!.at).length).toBeGreaterThanOrEqual(policy.misses)
  })

  it('is asked ever more seldom', () => {
    const { asked } = watched(4, () => silent)
    const gaps = asked.slice(1).map((at, index) => at - asked[index]!)
    expect(gaps.at(-1)).toBe(policy.broken + 20_000)
    expect(asked.length).toBeLessThan(60)
  })

  it('is told again every half hour, because people may have ended maintenance meanwhile', () => {
    const { kinds } = watched(4, () => silent)
    expect(new Set(kinds)).toEqual(new Set(['fault']))
    expect(kinds.length).toBeGreaterThanOrEqual(6)
    expect(kinds.length).toBeLessThanOrEqual(9)
  })

  it('is well again when it has answered for a while, and its power is told if it is another', () => {
    const { told, kinds } = watched(3, (at) => (at < 20 * MINUTE ? silent : off))
    expect(kinds.filter((kind) => kind === 'recovered')).toHaveLength(1)
    const answered = told.find(({ what }) => 'power' in what)!.at
    const recovered = told.find(({ what }) => 'recovered' in what)!.at
    expect(recovered - answered).toBeGreaterThanOrEqual(policy.broken / 5 - 5 * SECOND)
    expect(recovered).toBeLessThan(40 * MINUTE)
  })

  it('and answers now and then between is no fault', () => {
    let asked = 0
    expect(watched(24, () => (++asked % 3 === 0 ? on : silent)).told).toEqual([])
  })

  it('for six minutes of each ten has to prove itself longer each time', () => {
    const { kinds } = watched(24, (at) => (at % (10 * MINUTE) < 6 * MINUTE ? silent : on))
    expect(kinds.filter((kind) => kind === 'recovered').length).toBeLessThanOrEqual(3)
  })
})

describe('a BMC that contradicts itself', () => {
  const liar = (): (() => Heard) => {
    let seed = 1
    return () => ((seed = (seed * 48_271) % 2_147_483_647) % 2 === 0 ? on : off)
  }
  it('is one fault, and is not believed', () => {
    const { told, kinds } = watched(24, liar())
    expect(kinds.filter((kind) => kind === 'power').length).toBeLessThan(8)
    expect(kinds).not.toContain('recovered')
    const fault = told.find(({ what }) => 'fault' in what)!.what as { fault: string }
    expect(fault.fault).toMatch(/^its BMC contradicts itself: power changed \d+ times within an hour/)
  })

  it('is believed again when it has said one thing for long enough', () => {
    const lies = liar()
    const { told } = watched(6, (at) => (at < HOUR ? lies() : off))
    const recovered = told.find(({ what }) => 'recovered' in what)!
    expect(recovered.at).toBeGreaterThan(HOUR)
    expect(recovered.at).toBeLessThan(3 * HOUR)
    expect(told.findLast(({ what }) => 'power' in what)!.what).toEqual({ power: 'power off' })
  })
})

it('tells of whoever answers truthfully each change that lasts, in time, and nothing else', () => {
  const changes = fc.array(fc.integer({ min: 20 * MINUTE, max: 5 * HOUR }), { maxLength: 12 })
  fc.assert(
    fc.property(changes, fc.integer({ min: 1, max: 6000 }), (lasting, took) => {
      const at = lasting.map((_, index) => lasting.slice(0, index + 1).reduce((sum, each) => sum + each, 0))
      const truth = (now: number): State =>
        at.filter((each) => each <= now).length % 2 === 0 ? 'power on' : 'power off'
      const { told } = watched(24, (now) => ({ power: truth(now) }), { took })
      const due = at.filter((each) => each < 23 * HOUR)
      expect(told.every(({ what }) => 'power' in what)).toBe(true)
      expect(told.length).toBeGreaterThanOrEqual(due.length)
      expect(told.length).toBeLessThanOrEqual(at.length)
      due.forEach((each, index) => expect(told[index]!.at - each).toBeLessThanOrEqual(2 * policy.idle))
    }),
    { numRuns: 50 },
  )
})

it('tells few things of any BMC whatever in a day, faults and recoveries in turn', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.constantFrom(on, off, silent)),
      fc.integer({ min: 1, max: 40 }),
      (stream, runs) => {
        const answers = stream[Symbol.iterator]()
        let left = 0
        let what: Heard = on
        const { kinds } = watched(24, () => {
          if (left === 0) [left, what] = [runs, answers.next().value as Heard]
          left -= 1
          return what
        })
        const turns = kinds.filter(
          (kind, index) => kind !== 'power' && kind !== kinds.slice(0, index).findLast((k) => k !== 'power'),
        )
        expect(turns.length).toBeLessThan(60)
        expect(kinds.filter((kind) => kind === 'power').length).toBeLessThan(10 * 24)
      },
    ),
    { numRuns: 50 },
  )
})

it('owes the end of a fault also after a plan, or in a later life', () => {
  const later: Watch = newWatch('power on', 0, true)
  const first = heard(later, on, { asked: 0, now: 5, chance: 0.5 }, policy)
  expect(first.tell).toEqual([])
  const second = heard(first.watch, on, { asked: 70_000, now: 70_005, chance: 0.5 }, policy)
  expect(second.tell).toEqual([{ recovered: true }])
  expect(afterPlan(first.watch, 'power on', 10, policy).owed).toBe(true)
})
