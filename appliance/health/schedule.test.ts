import { expect, it } from 'vitest'
import { type Outcome, Schedule } from './schedule.ts'

const MINUTE = 60_000
const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`)
const INTERVAL = 10 * MINUTE

/** Numbers that look random and are always the same. */
function seeded(): () => number {
  let state = 42
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

function looks(nodes: string[], minutes: number, outcome: (node: string) => Outcome): Map<string, number[]> {
  const schedule = new Schedule(INTERVAL, seeded())
  const at = new Map<string, number[]>()
  for (let now = 0; now < minutes * MINUTE; now += 5000) {
    schedule.learn(nodes, now)
    for (const node of [...schedule.due(now, false), ...schedule.due(now, true)]) {
      at.set(node, [...(at.get(node) ?? []), now])
      schedule.looked(node, now, outcome(node))
    }
  }
  return at
}

it('every machine is looked at once in an interval, and no minute has much more to do than another', () => {
  const at = [...looks(named(600), 60, () => 'done').values()]
  expect(at).toHaveLength(600)
  for (const times of at) expect(times.length).toBeGreaterThanOrEqual(5)
  const perMinute = Array.from(
    { length: 60 },
    (_, minute) => at.flat().filter((time) => Math.floor(time / MINUTE) === minute).length,
  )
  expect(Math.max(...perMinute)).toBeLessThan(2 * 60)
})

it('a BMC that does not answer is asked ever more seldom, and at its own pace again when it does', () => {
  const silent = looks(named(8), 24 * 60, (node) => (node === 'n7' ? 'silent' : 'done')).get('n7') ?? []
  expect(silent.length).toBeLessThan(16)
  const gaps = silent.slice(1).map((time, index) => time - (silent[index] ?? 0))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(16 * INTERVAL * 1.1 + 5000)
  const schedule = new Schedule(INTERVAL, () => 0.5)
  schedule.learn(['a'], 0)
  schedule.looked('a', 0, 'silent')
  expect(schedule.due(INTERVAL, false)).toEqual([])
  expect(schedule.due(INTERVAL, true)).toEqual(['a'])
  schedule.looked('a', INTERVAL, 'done')
  expect(schedule.due(2 * INTERVAL, false)).toEqual(['a'])
})

it('one that alarmed is looked at again within half a minute; one that is busy later in the interval', () => {
  const schedule = new Schedule(INTERVAL, () => 1)
  schedule.learn(['a', 'b'], 0)
  schedule.looked('a', 0, 'again')
  schedule.looked('b', 0, 'busy')
  expect(schedule.due(33_000, false)).toEqual(['a'])
  expect(schedule.due(3 * MINUTE, false)).toEqual(['a', 'b'])
})

it('who is gone is looked at no more', () => {
  const schedule = new Schedule(INTERVAL, () => 0)
  schedule.learn(['a', 'b'], 0)
  schedule.learn(['b'], 0)
  schedule.looked('a', 0, 'done')
  expect(schedule.due(2 * INTERVAL, false)).toEqual(['b'])
})
