import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { report as reportSchema, type Progress } from '../../contract/messages.ts'
import type { Plan, Step } from '../../contract/plan.ts'
import type { Agents } from '../agents/agents.ts'
import type { Bmc, PowerAction } from '../drivers/bmc.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Images } from '../images/images.ts'
import { commandsThrough } from '../ledger/inbox.ts'
import { openJournal, type Journal } from '../ledger/journal.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines, type Machines } from '../ledger/machines.ts'
import { openOutbox, type Outbox } from '../ledger/outbox.ts'
import { openPendingPlans } from '../ledger/pending-plans.ts'
import type { PowerRules } from '../power/change.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { cancels, forgets, machine, plan, releases, runs, step, watches } from '../testing/plans.ts'
import { startExecutor, type Executor, type ExecutorParts } from './executor.ts'

const of = machine()
let clock: ManualClock
let ledger: Ledger
let journal: Journal
let machines: Machines
let outbox: Outbox
let log: ReturnType<typeof memoryLog>
let executor: Executor
/** The machine's BMC: what it was told, whether it obeys, and what holds its answers up. */
let bmc: { on: boolean; obeys: boolean; did: string[]; held: Promise<void> }
let fetchPlan: () => Promise<Plan>

/** How much was done to the BMC when the ramdisk's logs were asked for. */
let keptBefore: number | undefined

beforeEach(() => {
  keptBefore = undefined
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  journal = openJournal(ledger)
  machines = openMachines(ledger, randomUUID)
  outbox = openOutbox(ledger, () => clock.now(), randomUUID)
  log = memoryLog()
  bmc = { on: false, obeys: true, did: [], held: Promise.resolve() }
  fetchPlan = () => Promise.reject(new HardwareError('HTTP 503'))
  executor = life()
})
afterEach(async () => {
  bmc.held = Promise.resolve()
  await executor.stop()
  ledger.close()
})

function life(): Executor {
  const fake = {
    async power() {
      await bmc.held
      return bmc.on ? ('power on' as const) : ('power off' as const)
    },
    async control(action: PowerAction) {
      bmc.did.push(action)
      if (bmc.obeys) bmc.on = action === 'on'
    },
    async setBootDevice(device: string) {
      await bmc.held
      bmc.did.push(device)
    },
  } as unknown as Bmc
  const agents = { wipe: () => {}, isUp: () => false, lastSeen: () => undefined } as unknown as Agents
  const images = { release: () => Promise.resolve() } as unknown as Images
  return startExecutor({
    ledger,
    journal,
    outbox,
    machines,
    clock,
    log,
    seenOfBoot: () => [],
    attend: () => () => {},
    screenOf: () => undefined,
    logs: { when: 'on_failure', keep: async () => void (keptBefore = bmc.did.length) },
    crashPoint: () => {},
    pending: openPendingPlans(ledger),
    tools: () =>
      ({ bmc: () => Promise.resolve(fake), power, agents, images }) as unknown as ReturnType<ExecutorParts['tools']>,
    fetchPlan: () => fetchPlan(),
  })
}

const power: PowerRules = { changeMs: 60_000, hardAfterSoft: false, staysOn: false, turn: () => Promise.resolve() }
const on = step('power.power_on')
const off = step('power.power_off')
const disk = step('management.set_boot_device', { device: 'disk', persistent: true })
const agent = step('deploy.start_agent', {}, { deadline_seconds: 900, waits: true })
const cleanUp: Partial<Plan> = { on_failure: [off] }
const make = (generation: number, steps: Step[], more: Partial<Plan> = cleanUp): Plan =>
  plan(of, generation, steps, more)

function told(by: Plan): Progress[] {
  return outbox.pending(0, 1000).filter((each): each is Progress => each.kind === 'progress' && each.plan === by.id)
}
const phases = (by: Plan): string[] => told(by).map(({ phase }) => phase)
const end = (by: Plan): [string, string | null] => [told(by).at(-1)!.phase, told(by).at(-1)!.note]
function hold(): () => void {
  let release = (): void => {}
  bmc.held = new Promise((resolve) => (release = resolve))
  return release
}

it('carries a plan out in order and tells where it stands, each time wholly', async () => {
  const work = make(1, [on, disk])
  executor.accept(runs(1, work))
  await clock.advance(10_000)
  expect(bmc.did).toEqual(['on', 'disk'])
  expect(phases(work)).toEqual(['accepted', 'running', 'running', 'running', 'running', 'done'])
  expect(told(work).map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5, 6])
  expect(told(work).at(-1)).toMatchObject({ power_state: 'power on', boot_device: { boot_device: 'disk' } })
  expect(told(work).at(-1)?.seconds.length).toBe(2)
  for (const each of outbox.pending(0, 1000)) reportSchema.parse(each)
  expect(executor.busy(of.node)).toBe(false)
})

it('takes no notice of a command that was here, nor of an older generation', async () => {
  const work = make(5, [on])
  executor.accept(runs(1, work))
  await clock.advance(5000)
  executor.accept(runs(1, work))
  const old = make(4, [off])
  executor.accept(runs(2, old))
  await clock.advance(5000)
  expect(bmc.did).toEqual(['on'])
  expect(told(old)).toEqual([])
  expect(commandsThrough(ledger)).toBe(2)
})

it('refuses what comes after its deadline', async () => {
  const work = make(1, [on])
  executor.accept(runs(1, work, { deadline: '2025-12-31T00:00:00.000Z' }))
  await clock.advance(5000)
  expect(end(work)).toEqual(['refused', 'the command reached the site after its deadline'])
  expect(bmc.did).toEqual([])
})

it('says which step failed and why, cleans up, and runs no further step', async () => {
  bmc.obeys = false
  const work = make(1, [on, disk])
  executor.accept(runs(1, work))
  await clock.advance(120_000)
  expect(end(work)).toEqual([
    'failed',
    'power.power_on: the BMC accepted "on", but did not report "power on" within 60 s',
  ])
  expect(bmc.did).not.toContain('disk')
})

it('says what the agent’s absence looked like', async () => {
  const work = make(1, [agent])
  executor.accept(runs(1, work))
  await clock.advance(1_000_000)
  expect(end(work)[1]).toMatch(
    /^deploy.start_agent: no agent within 900 s of power on; nothing was seen of the machine/,
  )
})

it('runs the two lanes of a node beside each other', async () => {
  const deploy = make(1, [agent])
  const power = make(2, [on], { lane: 'power', kind: 'power' })
  executor.accept(runs(1, deploy))
  executor.accept(runs(2, power))
  await clock.advance(5000)
  expect(phases(power).at(-1)).toBe('done')
  expect(phases(deploy).at(-1)).toBe('waiting')
  expect([executor.busy(of.node, 'provision'), executor.busy(of.node, 'power')]).toEqual([true, false])
})

describe('a newer generation', () => {
  it('stops the plan that waits, and starts', async () => {
    const old = make(1, [agent, disk])
    const fresh = make(2, [on])
    executor.accept(runs(1, old))
    await clock.advance(5000)
    executor.accept(runs(2, fresh))
    await clock.advance(5000)
    expect(phases(fresh).at(-1)).toBe('done')
    expect(phases(old).at(-1)).toBe('waiting')
    expect(bmc.did).toEqual(['on'])
  })

  it('waits for the BMC’s answer to the old plan, whose next step never runs and which never opens again', async () => {
    const release = hold()
    const old = make(1, [disk, on])
    const fresh = make(2, [step('power.validate')])
    executor.accept(runs(1, old))
    await settled()
    executor.accept(runs(2, fresh))
    await settled()
    expect(phases(fresh)).toEqual(['accepted'])
    release()
    await clock.advance(5000)
    expect(phases(fresh).at(-1)).toBe('done')
    expect(bmc.did).toEqual(['disk'])
    expect(journal.open()).toEqual([])
    await executor.stop()
    executor = life()
    executor.resume()
    await clock.advance(5000)
    expect(bmc.did).toEqual(['disk'])
  })

  it('of three is the only one that starts', async () => {
    const [first, second, third] = [make(1, [agent]), make(2, [disk]), make(3, [on])]
    executor.accept(runs(1, first))
    await settled()
    executor.accept(runs(2, second))
    executor.accept(runs(3, third))
    await clock.advance(5000)
    expect(bmc.did).toEqual(['on'])
    expect(phases(second)).toEqual(['accepted'])
    expect(phases(third).at(-1)).toBe('done')
  })

  it('does not wait for the clean-up of a plan that failed', async () => {
    const old = make(1, [agent])
    executor.accept(runs(1, old))
    await clock.advance(899_000)
    bmc.on = true
    bmc.obeys = false
    await clock.advance(10_000) // it has failed, and its clean-up waits for a BMC that does not obey
    expect(bmc.did).toEqual(['off'])
    const fresh = make(2, [step('power.validate')])
    executor.accept(runs(2, fresh))
    await clock.advance(5000)
    expect(phases(fresh).at(-1)).toBe('done')
    expect(phases(old)).not.toContain('failed')
  })
})

describe('a cancellation', () => {
  it('ends a step that waits, cleans up, and is the reason', async () => {
    bmc.on = true
    const work = make(1, [agent, disk])
    executor.accept(runs(1, work))
    await clock.advance(5000)
    executor.accept(cancels(2, work, 'the cloud gave up'))
    await clock.advance(5000)
    expect(end(work)).toEqual(['failed', 'the cloud gave up'])
    expect(bmc.did).toEqual(['off'])
    expect(keptBefore, "the ramdisk's logs, which are gone when the machine is off").toBe(0)
  })

  it('in the middle of a BMC’s answer runs no further step', async () => {
    const release = hold()
    const work = make(1, [disk, on])
    executor.accept(runs(1, work))
    await settled()
    executor.accept(cancels(2, work, 'changed my mind'))
    release()
    await clock.advance(5000)
    expect(end(work)).toEqual(['failed', 'changed my mind'])
    expect(bmc.did).toEqual(['disk'])
  })

  it('during the clean-up leaves the clean-up alone, and the first error stays', async () => {
    const work = make(1, [agent])
    executor.accept(runs(1, work))
    await clock.advance(899_000)
    bmc.on = true
    bmc.obeys = false
    await clock.advance(10_000)
    executor.accept(cancels(2, work, 'too late'))
    bmc.obeys = true
    await clock.advance(30_000)
    expect(end(work)).toEqual(['failed', expect.stringContaining('no agent within 900 s')])
    expect(bmc.on).toBe(false)
  })

  it('of another generation, or after the end, has no effect', async () => {
    const work = make(2, [agent])
    executor.accept(runs(1, work))
    await clock.advance(5000)
    executor.accept(cancels(2, { ...work, generation: 1 }, 'another'))
    await clock.advance(5000)
    expect(phases(work).at(-1)).toBe('waiting')
    const power = make(3, [on], { lane: 'power' })
    executor.accept(runs(3, power))
    await clock.advance(5000)
    executor.accept(cancels(4, power, 'over', 'power'))
    await clock.advance(5000)
    expect(phases(power).at(-1)).toBe('done')
  })

  it('survives the appliance, whatever the step wrote after it', async () => {
    const work = make(1, [agent])
    executor.accept(runs(1, work))
    await clock.advance(5000)
    const inMemory = journal.get(work.id)!
    ledger.transaction(() => journal.save({ ...inMemory, cancel: 'the cloud gave up' }))
    journal.save(inMemory) // the step in progress, which does not know yet
    await executor.stop()
    executor = life()
    executor.resume()
    await clock.advance(5000)
    expect(end(work)).toEqual(['failed', 'the cloud gave up'])
  })
})

describe('a forgotten node', () => {
  it('has its plan stopped without a word, and nothing is left', async () => {
    const work = make(1, [agent, on])
    executor.accept(runs(1, work))
    await clock.advance(5000)
    const before = told(work).length
    executor.accept(forgets(2, of.node, 2))
    await clock.advance(2_000_000)
    expect(told(work).length).toBe(before)
    expect([journal.open(), machines.nodes(), bmc.did]).toEqual([[], [], []])
  })

  it('may come back under its uuid', async () => {
    executor.accept(runs(1, make(7, [on])))
    await clock.advance(5000)
    executor.accept(forgets(2, of.node, 8))
    const again = make(1, [off])
    executor.accept(runs(3, again))
    await clock.advance(5000)
    expect(phases(again).at(-1)).toBe('done')
  })
})

describe('a node that another appliance takes over', () => {
  it('leaves nothing behind: its plan is left where it is, and is not reported any more', async () => {
    const work = make(3, [off, on])
    bmc.obeys = false
    bmc.on = true
    executor.accept(runs(1, work))
    await clock.advance(5000)
    const before = told(work).length
    executor.accept(releases(2, of.node, 4))
    await clock.advance(2_000_000)
    expect(told(work).length).toBe(before)
    expect([journal.open(), machines.nodes()]).toEqual([[], []])
  })

  it('may come back, in whatever order the messages come', async () => {
    executor.accept(runs(1, make(3, [on])))
    await clock.advance(5000)
    executor.accept(watches(3, of, 5))
    executor.accept(releases(2, of.node, 4))
    expect(machines.get(of.node)?.generation).toBe(5)
    const again = make(6, [off])
    executor.accept(runs(4, again))
    await clock.advance(5000)
    expect(phases(again).at(-1)).toBe('done')
  })

  it.each([
    ['release', releases(3, of.node, 4)],
    ['forget', forgets(3, of.node, 4)],
  ])('is not known again by what was sent before its %s and comes after it', async (_, gone) => {
    const late = make(3, [on])
    executor.accept(gone)
    executor.accept(watches(1, of, 2))
    executor.accept(runs(2, late))
    executor.accept(gone)
    await clock.advance(60_000)
    expect([machines.nodes(), told(late), bmc.did]).toEqual([[], [], []])
    expect(commandsThrough(ledger)).toBe(3)
    // Under numbers from before nothing can come any more; what comes now is new, whatever its generation.
    const fresh = make(1, [on])
    executor.accept(runs(4, fresh))
    await clock.advance(5000)
    expect(phases(fresh).at(-1)).toBe('done')
  })
})

it('looks after a machine as it is told last, whichever message is quicker', () => {
  const address = (ipmi_address: string) => machine({ ...of, driver_info: { ipmi_address } })
  executor.accept(watches(1, address('192.0.2.1'), 1))
  executor.accept(watches(3, address('192.0.2.3'), 3))
  executor.accept(watches(2, address('192.0.2.2'), 2))
  executor.accept(watches(3, address('192.0.2.9'), 3))
  expect(machines.get(of.node)).toMatchObject({
    generation: 3,
    machine: { driver_info: { ipmi_address: '192.0.2.3' } },
  })
})

describe('a plan by reference', () => {
  const reference = { source: { kind: 'blob' as const, key: 'plan' }, size: 10, sha256: '0'.repeat(64) }

  it('is acknowledged at once and carried out when it could be fetched', async () => {
    const work = make(1, [on])
    executor.accept(runs(1, work, { plan: reference }))
    expect(commandsThrough(ledger)).toBe(1)
    await clock.advance(12_000)
    expect(told(work)).toEqual([])
    fetchPlan = () => Promise.resolve(work)
    await clock.advance(12_000)
    expect(phases(work).at(-1)).toBe('done')
  })

  it('is fetched by the next life of the appliance', async () => {
    const work = make(1, [on])
    executor.accept(runs(1, work, { plan: reference }))
    await executor.stop()
    fetchPlan = () => Promise.resolve(work)
    executor = life()
    executor.resume()
    await clock.advance(5000)
    expect(phases(work).at(-1)).toBe('done')
  })

  it.each([
    ['cancelled', (work: Plan) => cancels(2, work, 'no')],
    ['forgotten with its node', (work: Plan) => forgets(2, work.node, 2)],
    ["another appliance's", (work: Plan) => releases(2, work.node, 2)],
  ])('is no longer wanted when it is %s, also if its bytes are on the way', async (_, command) => {
    const work = make(1, [on])
    let arrive = (_plan: Plan): void => {}
    fetchPlan = () => new Promise((resolve) => (arrive = resolve))
    executor.accept(runs(1, work, { plan: reference }))
    await settled()
    executor.accept(command(work))
    arrive(work)
    await clock.advance(60_000)
    expect([told(work), bmc.did]).toEqual([[], []])
    expect(openPendingPlans(ledger).all()).toEqual([])
  })

  it('is given up at its command’s deadline', async () => {
    let asked = 0
    fetchPlan = () => {
      asked += 1
      return Promise.reject(new HardwareError('HTTP 404'))
    }
    const deadline = new Date(clock.now().getTime() + 60_000).toISOString()
    executor.accept(runs(1, make(1, [on]), { plan: reference, deadline }))
    await clock.advance(120_000)
    const before = asked
    await clock.advance(120_000)
    expect(asked).toBe(before)
    expect(openPendingPlans(ledger).all()).toEqual([])
    expect(log.lines.some(({ level, message }) => level === 'error' && message.includes('given up'))).toBe(true)
  })
})

describe('the next life of the appliance', () => {
  it('goes on with the step in progress, and with no other', async () => {
    const work = make(1, [disk, agent, on])
    executor.accept(runs(1, work))
    await clock.advance(5000)
    await executor.stop()
    expect(phases(work)).not.toContain('failed')
    executor = life()
    executor.resume()
    await clock.advance(5000)
    expect(bmc.did).toEqual(['disk'])
    expect(journal.get(work.id)).toMatchObject({ step: 1, state: 'open' })
  })

  it('gives a step a minute, though its deadline passed while there was no appliance', async () => {
    bmc.obeys = false
    const work = make(1, [on])
    executor.accept(runs(1, work))
    await settled()
    await executor.stop()
    await clock.advance(3_600_000)
    executor = life()
    executor.resume()
    await clock.advance(30_000)
    bmc.on = true
    await clock.advance(5000)
    expect(phases(work).at(-1)).toBe('done')
  })
})

it('goes on when the ledger can be written again', async () => {
  const work = make(1, [disk, on])
  const release = hold()
  executor.accept(runs(1, work))
  await settled()
  ledger.db.exec("create trigger full before update on journal begin select raise(abort, 'disk full'); end")
  release()
  await clock.advance(10_000)
  expect(log.lines.some(({ facts }) => String(facts['error']).includes('disk full'))).toBe(true)
  expect(phases(work).at(-1)).toBe('running')
  ledger.db.exec('drop trigger full')
  await clock.advance(60_000)
  expect(phases(work).at(-1)).toBe('done')
})

it('says that a step is unknown, and what to do', async () => {
  const work = make(1, [{ ...on, interface: 'raid', step: 'dance' }])
  executor.accept(runs(1, work))
  await clock.advance(5000)
  expect(end(work)).toEqual(['failed', 'raid.dance: this appliance does not know the step raid.dance: update it'])
})

describe('a step on a parent or child', () => {
  const child = machine({ name: 'dpu-1' })
  const onChild = (what: string, node = child.node): Step =>
    step('plan.on_node', { node, interface: 'power', step: what, args: {} })

  it('is done to that machine, whose power state is told apart from the plan’s', async () => {
    const whole = plan(of, 1, [onChild('power_on')], { relatives: [child] })
    executor.accept(runs(1, whole))
    await settled()
    await clock.advance(5000)
    expect(bmc.did).toEqual(['on'])
    const told = outbox.pending(0, 1000).map((each) => reportSchema.parse(each))
    expect(told.filter(({ kind }) => kind === 'power')).toMatchObject([{ node: child.node, power_state: 'power on' }])
    const last = told.filter((each): each is Progress => each.kind === 'progress').at(-1)
    expect(last).toMatchObject({ node: of.node, phase: 'done', power_state: null })
  })

  it('fails where the plan does not tell what the machine is', async () => {
    executor.accept(runs(1, plan(of, 1, [onChild('power_on')])))
    await settled()
    expect(journal.open()).toEqual([])
    expect(JSON.stringify(outbox.pending(0, 1000))).toContain('does not tell what node')
    expect(bmc.did).toEqual([])
  })
})
