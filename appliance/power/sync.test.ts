import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import { HardwareError } from '../hardware-error.ts'
import { openBmcFaults } from '../ledger/bmc-faults.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines, type Machines } from '../ledger/machines.ts'
import { openOutbox, type Outbox } from '../ledger/outbox.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine, port } from '../testing/plans.ts'
import { openNews } from './news.ts'
import { policyOf, powerConfig } from './policy.ts'
import { startPowerSync, type PowerSync } from './sync.ts'

type State = 'power on' | 'power off'

const ROUND = 125_000
const MINUTE = 60_000
let clock: ManualClock
let ledger: Ledger
let machines: Machines
let outbox: Outbox
let log: ReturnType<typeof memoryLog>
let sync: PowerSync
const busy = new Set<string>()
/** What each BMC does when it is asked; how often it was asked. */
const bmcs = new Map<string, () => Promise<State | undefined>>()
const asked = new Map<string, number>()

function start(): PowerSync {
  const faults = openBmcFaults(ledger)
  return startPowerSync({
    machines,
    faults,
    news: openNews({ ledger, machines, faults, outbox, log }),
    clock,
    random: () => 0.5,
    log,
    policy: policyOf(powerConfig.parse({})),
    ask({ node }: Machine) {
      asked.set(node, (asked.get(node) ?? 0) + 1)
      return bmcs.get(node)!()
    },
    busy: (node) => busy.has(node),
  })
}

beforeEach(() => {
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  machines = openMachines(ledger, randomUUID)
  outbox = openOutbox(ledger, () => clock.now(), randomUUID)
  log = memoryLog()
  for (const each of [busy, bmcs, asked]) each.clear()
  sync = start()
})
afterEach(async () => {
  await sync.stop()
  ledger.close()
})

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

function add(power: () => Promise<State | undefined>, known?: State): string {
  const of = machine({ ports: [port(`52:54:00:00:${hex(bmcs.size >> 8)}:${hex(bmcs.size & 255)}`)] })
  machines.learn(of, 1)
  if (known) machines.setPower(of.node, known)
  bmcs.set(of.node, power)
  return of.node
}
const on = (): Promise<State> => Promise.resolve('power on')
const off = (): Promise<State> => Promise.resolve('power off')
const dead = (): Promise<State> => Promise.reject(new HardwareError('no answer within 20 s'))
/** As a BMC that is not there: 20 s of silence. */
const silent = (): Promise<State> => clock.sleep(20_000).then(dead)
const told = () =>
  outbox
    .pending(0, 1000)
    .flatMap((report) =>
      report.kind === 'power'
        ? [[report.node, report.power_state]]
        : report.kind === 'bmc'
          ? [[report.node, report.answers]]
          : [],
    )

it('tells a change, once', async () => {
  const node = add(on, 'power off')
  await clock.advance(3 * ROUND)
  expect(told()).toEqual([[node, 'power on']])
  expect(machines.get(node)?.powerState).toBe('power on')
})

it('tells nothing where nothing changed', async () => {
  const node = add(on, 'power on')
  await clock.advance(3 * ROUND)
  expect(asked.get(node)).toBeGreaterThan(2)
  expect(told()).toEqual([])
})

it('leaves a machine alone that a plan is at work on, and goes by what the plan said after it', async () => {
  const node = add(on, 'power off')
  busy.add(node)
  await clock.advance(2 * ROUND)
  expect(asked.get(node)).toBeUndefined()
  machines.setPower(node, 'power on')
  busy.delete(node)
  await clock.advance(2 * ROUND)
  expect(asked.get(node)).toBeGreaterThan(2)
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

it('believes the plan that began before a change was written', async () => {
  const node = add(() => (asked.get(node)! > 1 && busy.add(node), on()), 'power off')
  await clock.advance(ROUND)
  expect(told()).toEqual([])
})

it('does not call it a miss that somebody else is talking to the BMC', async () => {
  const node = add(() => Promise.resolve(undefined), 'power on')
  await clock.advance(20 * MINUTE)
  expect(asked.get(node)).toBeGreaterThan(100)
  expect(told()).toEqual([])
})

it('asks at once where it is hinted at', async () => {
  const node = add(on, 'power on')
  await clock.advance(30 * MINUTE)
  bmcs.set(node, off)
  sync.hint(node)
  sync.hint('no such node')
  await clock.advance(5000)
  expect(told()).toEqual([[node, 'power off']])
})

it('asks a dead BMC ever more seldom, says so once, and is back when it is', async () => {
  const node = add(dead, 'power off')
  await clock.advance(30 * MINUTE)
  expect(asked.get(node)).toBeLessThan(12)
  expect(told()).toEqual([[node, false]])
  expect(log.lines.filter(({ message }) => message === 'power state not to be read').length).toBe(1)
  bmcs.set(node, on)
  await clock.advance(20 * MINUTE)
  expect(told()).toEqual([
    [node, false],
    [node, 'power on'],
    [node, true],
  ])
})

it('tells the end of a fault also when it was down meanwhile', async () => {
  const node = add(dead, 'power on')
  await clock.advance(10 * MINUTE)
  expect(told()).toEqual([[node, false]])
  await sync.stop()
  bmcs.set(node, on)
  sync = start()
  await clock.advance(5 * MINUTE)
  expect(told()).toEqual([
    [node, false],
    [node, true],
  ])
})

it('lets no silent BMCs, however many, delay what others tell', async () => {
  for (let each = 0; each < 400; each += 1) add(silent, 'power off')
  const node = add(on, 'power on')
  await clock.advance(60_000) // in their first round nobody knows that they are silent
  expect(asked.get(node)).toBeGreaterThan(0)
  await clock.advance(20 * MINUTE)
  bmcs.set(node, off)
  const before = clock.now().getTime()
  await clock.advance(ROUND + 8000)
  const [, at] = outbox.pending(0, 1000).flatMap((r) => (r.kind === 'power' ? [r.node, Date.parse(r.at)] : []))
  expect((at as number) - before).toBeLessThan(ROUND + 8000)
})

it('writes what came together together, and again where the ledger could not be written', async () => {
  const nodes = Array.from({ length: 50 }, () => add(on, 'power on'))
  await clock.advance(30 * MINUTE)
  nodes.forEach((node) => bmcs.set(node, off))
  const { soon } = ledger
  let writes = 0
  ledger.soon = (work) => {
    writes += 1
    if (writes === 1) throw new Error('disk full')
    return soon(work)
  }
  nodes.forEach((node) => sync.hint(node))
  await clock.advance(10_000)
  ledger.soon = soon
  expect(told()).toHaveLength(50)
  expect(new Map(told() as [string, State][])).toEqual(new Map(nodes.map((node) => [node, 'power off'])))
  // One that failed, one for all, and the 50 nested ones of the machines' states.
  expect(writes).toBeLessThanOrEqual(54)
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
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
  await clock.advance(45_000)
  expect(asked.get(node)).toBe(1)
  await sync.stop()
  await clock.advance(60_000)
  expect(told()).toEqual([])
})
