import { describe, expect, it } from 'vitest'
import { examine, type HealthState, newHealth } from './examine.ts'
import { type Ailment, type Entry, nothingLogged } from './look.ts'

const at = (minutes: number): Date => new Date(Date.parse('2026-11-23T10:00:00.000Z') + minutes * 60_000)
const hot: Ailment = { subject: 'sensor Inlet', level: 'Critical', text: 'Inlet: 48 °C' }
const entry = (text: string, more: Partial<Entry> = {}): Entry => ({
  at: null,
  level: 'Critical',
  text,
  blames: 'log memory 9',
  absolves: undefined,
  ...more,
})
type Look = Parameters<typeof examine>[1]

/** What is told of looks ten minutes apart. */
function tell(looks: Array<Partial<Look>>) {
  let state: HealthState = newHealth
  return looks.map((look, index) => {
    const found = examine(state, { ailments: [], log: nothingLogged, ...look }, at(index * 10))
    state = found.state
    return found.report && { health: found.report.health, causes: found.report.causes.length, log: found.report.log }
  })
}
const well = { health: 'OK', causes: 0, log: [] }
const ill = { health: 'Critical', causes: 1, log: [] }
const still = undefined

describe('the cloud is told', () => {
  it('once that all is well, and then only changes', () => {
    expect(tell([{}, {}, {}])).toEqual([well, still, still])
    const back = [
      { ailments: [hot] },
      { ailments: [hot] },
      { ailments: [{ ...hot, text: 'Inlet: 49 °C' }] },
      {},
      {},
      {},
    ]
    expect(tell([{}, ...back])).toEqual([well, still, ill, still, still, still, well])
  })

  it('nothing of a machine that seems ill at first sight, until a second look', () => {
    expect(tell([{ ailments: [hot] }, { ailments: [hot] }])).toEqual([still, ill])
    expect(tell([{ ailments: [hot] }, {}])).toEqual([still, well])
  })

  it('what was logged, what repeats once, of too many the last', () => {
    const entries = [entry('a'), entry('a'), entry('b', { blames: undefined, level: 'OK' })]
    const [, told] = tell([{}, { log: { entries, erased: false } }])
    expect(told?.log).toEqual([
      { at: null, level: 'Critical', text: 'a', times: 2 },
      { at: null, level: 'OK', text: 'b', times: 1 },
    ])
    const many = Array.from({ length: 40 }, (_, index) => entry(`entry ${index}`))
    const { report } = examine(newHealth, { ailments: [], log: { entries: many, erased: false } }, at(0))
    expect([report?.log.length, report?.log.at(-1)?.text, report?.log_left_out]).toEqual([16, 'entry 39', 24])
  })
})

describe('what the log blames', () => {
  const blamed = (more: Partial<Entry> = {}): Look['log'] => ({ entries: [entry('x', more)], erased: false })

  it('makes the machine unwell for a day', () => {
    let { state } = examine(newHealth, { ailments: [], log: blamed() }, at(0))
    const believed = examine(state, { ailments: [], log: nothingLogged }, at(1))
    expect(believed.report).toMatchObject({ health: 'Critical', causes: [{ text: "the BMC's log: x" }] })
    state = believed.state
    for (const minutes of [1500, 1510, 1520])
      state = examine(state, { ailments: [], log: nothingLogged }, at(minutes)).state
    expect(state.told).toBe('[]')
    expect(state.blamed).toEqual({})
  })

  it('ends when the BMC says that it is over, or when somebody empties the log', () => {
    const { state } = examine(newHealth, { ailments: [], log: blamed() }, at(0))
    const over = blamed({ blames: undefined, absolves: 'log memory 9', level: 'OK' })
    expect(examine(state, { ailments: [], log: over }, at(1)).state.blamed).toEqual({})
    expect(examine(state, { ailments: [], log: { entries: [], erased: true } }, at(1)).state.blamed).toEqual({})
  })
})
