import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import { HardwareError } from '../hardware-error.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines, type Machines } from '../ledger/machines.ts'
import { openOutbox, type Outbox } from '../ledger/outbox.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine, port } from '../testing/plans.ts'
import type { Bmc } from './bmc.ts'
import { startPowerSync } from './power-sync.ts'

type State = 'power on' | 'power off'

const ROUND = 120_000
let clock: ManualClock
let ledger: Ledger
let machines: Machines
let outbox: Outbox
let log: ReturnType<typeof memoryLog>
let stop: () => Promise<void>
const busy = new Set<string>()
/** What each BMC does when it is asked; how often it was asked. */
const bmcs = new Map<string, () => Promise<State>>()
const asked = new Map<string, number>()

beforeEach(() => {
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  machines = openMachines(ledger, randomUUID)
  outbox = openOutbox(ledger, () => clock.now(), randomUUID)
  log = memoryLog()
  for (const each of [busy, bmcs, asked]) each.clear()
  stop = startPowerSync({
    machines,
    ledger,
    outbox,
    clock,
    random: () => 0.5,
    log,
    bmcOf: async ({ node }: Machine) => {
      asked.set(node, (asked.get(node) ?? 0) + 1)
      return { power: () => bmcs.get(node)!() } as Bmc
    },
    busy: (node) => busy.has(node),
  })
})
afterEach(async () => {
  await stop()
  ledger.close()
})

function add(power: () => Promise<State>, known?: State): string {
  const of = machine({ ports: [port(`52:54:00:00:00:${(bmcs.size + 16).toString(16)}`)] })
  machines.learn(of, 1)
  if (known) machines.setPower(of.node, known)
  bmcs.set(of.node, power)
  return of.node
}
const on = (): Promise<State> => Promise.resolve('power on')
const dead = (): Promise<State> => Promise.reject(new HardwareError('no answer within 20 s'))
/** As a BMC that is not there: 20 s of silence. */
const silent = (): Promise<State> => clock.sleep(20_000).then(dead)
const told = () => outbox.pending(0, 100).map((report) => report.kind === 'power' && [report.node, report.power_state])

it('tells a change, once', async () => {
  const node = add(on, 'power off')
  await clock.advance(3 * ROUND)
  expect(told()).toEqual([[node, 'power on']])
  expect(machines.get(node)?.powerState).toBe('power on')
})

it('tells nothing where nothing changed', async () => {
  const node = add(on, 'power on')
  await clock.advance(3 * ROUND)
  expect(asked.get(node)).toBe(3)
  expect(told()).toEqual([])
})

it('leaves a machine alone that a plan is at work on', async () => {
  const node = add(on, 'power off')
  busy.add(node)
  await clock.advance(2 * ROUND)
  expect(asked.get(node)).toBeUndefined()
  expect(told()).toEqual([])
})

it('believes the plan that began while the BMC was asked', async () => {
  const node = add(() => {
    busy.add(node)
    return on()
  }, 'power off')
  await clock.advance(ROUND)
  expect(asked.get(node)).toBe(1)
  expect(told()).toEqual([])
})

it('asks a dead BMC ever more seldom, says so once, and is back when it is', async () => {
  const node = add(dead, 'power off')
  await clock.advance(64 * ROUND)
  expect(asked.get(node)).toBeLessThan(10)
  expect(log.lines.filter(({ level }) => level === 'warn').length).toBe(1)
  bmcs.set(node, on)
  await clock.advance(20 * ROUND)
  expect(told()).toEqual([[node, 'power on']])
  const before = asked.get(node)!
  await clock.advance(3 * ROUND)
  expect(asked.get(node)).toBe(before + 3)
})

it('lets no silent BMCs, however many, delay what others tell', async () => {
  for (let each = 0; each < 40; each += 1) add(silent, 'power off')
  const node = add(on, 'power on')
  await clock.advance(3 * ROUND) // all silent ones are known as such
  bmcs.set(node, () => Promise.resolve('power off' as const))
  let waited = 0
  while (told().length === 0 && waited < 4 * ROUND) {
    await clock.advance(1000)
    waited += 1000
  }
  expect(told()).toEqual([[node, 'power off']])
  expect(waited).toBeLessThanOrEqual(ROUND + 80_000)
})

it('forgets a node with its machine', async () => {
  const node = add(dead, 'power off')
  await clock.advance(ROUND)
  machines.forget(node)
  const before = asked.get(node)
  await clock.advance(5 * ROUND)
  expect(asked.get(node)).toBe(before)
})

it('stops at once, also while a BMC is silent, whose late answer has no effect', async () => {
  const node = add(() => clock.sleep(20_000).then(on), 'power off')
  await clock.advance(ROUND + 5000)
  expect(asked.get(node)).toBe(1)
  await stop()
  await clock.advance(20_000)
  expect(told()).toEqual([])
})
