import { expect, test } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import { HardwareError } from '../../appliance/hardware-error.ts'
import { openBmcFaults } from '../../appliance/ledger/bmc-faults.ts'
import { openLedger } from '../../appliance/ledger/ledger.ts'
import { openOutbox } from '../../appliance/ledger/outbox.ts'
import { ManualClock } from '../../appliance/testing/manual-clock.ts'
import { memoryLog } from '../../appliance/testing/memory-log.ts'
import { machine } from '../../appliance/testing/plans.ts'
import { openNews } from '../../appliance/power/news.ts'
import { policyOf, powerConfig } from '../../appliance/power/policy.ts'
import { startPowerSync } from '../../appliance/power/sync.ts'

type State = 'power on' | 'power off'

/** BLOOMERY_DAY_BMCS=5000 is the whole site; the same shares of a smaller one take seconds. */
const COUNT = Number(process.env['BLOOMERY_DAY_BMCS'] ?? 200)
const HOURS = 24
const HOUR = 3_600_000

interface Simulated {
  of: Machine
  known: State
  temper: 'well' | 'slow' | 'dead' | 'rubbish' | 'contradicting'
  /** When its power changes, by itself. */
  changes: number[]
}

test(
  'goes through a day of thousands of BMCs without flapping: what is told is what changed',
  { timeout: 1_200_000 },
  async () => {
    const random = seeded(7)
    const clock = new ManualClock()
    const start = clock.now().getTime()
    const site = new Map<string, Simulated>()
    for (let index = 0; index < COUNT; index += 1) {
      const of = machine({ ports: [] })
      const temper = tempers[index % 200] ?? tempers[index % 100] ?? 'well'
      const changes = random() < 0.2 ? [random() * 20 * HOUR, random() * 20 * HOUR].map((at) => start + at) : []
      site.set(of.node, { of, known: 'power on', temper, changes: changes.toSorted((a, b) => a - b) })
    }
    const truth = ({ changes }: Simulated): State =>
      changes.filter((at) => at <= clock.now().getTime()).length % 2 === 0 ? 'power on' : 'power off'
    let asked = 0
    const ask = async ({ node }: Machine): Promise<State> => {
      asked += 1
      const bmc = site.get(node)!
      // One in a thousand answers is lost, of whomever.
      if (bmc.temper === 'dead' || random() < 0.001) {
        await clock.sleep(20_000)
        throw new HardwareError('no answer within 20 s')
      }
      if (bmc.temper === 'rubbish') throw new HardwareError('the answer is none')
      if (bmc.temper === 'contradicting') return random() < 0.5 ? 'power on' : 'power off'
      if (bmc.temper === 'slow') await clock.sleep(5000)
      return truth(bmc)
    }
    const ledger = openLedger(':memory:')
    const outbox = openOutbox(
      ledger,
      () => clock.now(),
      () => 'id',
    )
    const faults = openBmcFaults(ledger)
    const log = memoryLog()
    const machines = {
      nodes: () => [...site.keys()],
      get: (node: string) => ({ machine: site.get(node)!.of, generation: 1, powerState: site.get(node)!.known }),
      powerOf: (node: string) => site.get(node)!.known,
      setPower: (node: string, state: State) => void (site.get(node)!.known = state),
    }
    const sync = startPowerSync({
      machines,
      faults,
      news: openNews({ ledger, outbox, faults, log, machines: machines as never }),
      clock,
      random,
      log,
      policy: policyOf(powerConfig.parse({})),
      ask,
      busy: () => false,
    })
    await clock.advance(HOURS * HOUR)
    await sync.stop()

    const reports = outbox.pending(0, 1_000_000)
    const ofTemper = (...which: Simulated['temper'][]) =>
      reports.flatMap((each) => ('node' in each && which.includes(site.get(each.node!)!.temper) ? [each] : []))
    // Whoever answers: each change once, late by less than two intervals, and no fault ever.
    const truthful = ofTemper('well', 'slow')
    expect(truthful.filter(({ kind }) => kind !== 'power')).toEqual([])
    for (const [node, { temper, changes }] of site) {
      if (temper !== 'well' && temper !== 'slow') continue
      const told = truthful.filter((each) => 'node' in each && each.node === node).map(({ at }) => Date.parse(at))
      // Two changes within a moment are none.
      if (changes.length === 2 && changes[1]! - changes[0]! < 240_000) continue
      expect(told.length, temper).toBe(changes.length)
      told.forEach((at, index) => expect(at - changes[index]!).toBeLessThan(240_000))
    }
    // Whoever is dead: a fault, again every half hour, and never anything else.
    const dead = ofTemper('dead', 'rubbish')
    expect(dead.every((each) => each.kind === 'bmc' && !each.answers)).toBe(true)
    expect(dead.length).toBeLessThanOrEqual(COUNT * 0.03 * HOURS * 2)
    expect(ofTemper('contradicting').length).toBeLessThan(COUNT * 0.005 * (HOURS * 2 + 12) + 60)
    expect(asked).toBeGreaterThan(COUNT * 0.9 * HOURS * 25)
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
    ledger.close()
  },
)

const tempers: Partial<Record<number, Simulated['temper']>> = {
  0: 'dead',
  1: 'dead',
  2: 'slow',
  3: 'slow',
  4: 'slow',
  5: 'rubbish',
  105: 'contradicting',
}

/** Lehmer's generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
