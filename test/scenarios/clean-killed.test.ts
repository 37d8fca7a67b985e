import { afterEach, expect, test } from 'vitest'
import type { Plan } from '../../contract/plan.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** As appliance-killed, for the other kinds of plan that an agent works for: the power is cut at every point, and the next life goes on. */

let fixture: Fixture
afterEach(() => fixture.tearDown())

const intoRamdisk = () => [
  step('power.power_off'),
  step('boot.prepare_ramdisk'),
  step('power.power_on'),
  step('deploy.start_agent', {}, { deadline_seconds: 7200, waits: true }),
]
const outOfRamdisk = () => [step('deploy.tear_down_agent'), step('boot.clean_up_ramdisk')]

const plans = {
  clean: () =>
    fixture.plan('clean', [
      ...intoRamdisk(),
      step('deploy.erase_devices_metadata', {}, { deadline_seconds: 7200, waits: true }),
      step('plan.hold'),
      step('plan.wait', { seconds: 20 }, { waits: true }),
      ...outOfRamdisk(),
    ]),
  inspect: () =>
    fixture.plan('inspect', [
      ...intoRamdisk(),
      step('inspect.inspect_hardware', {}, { deadline_seconds: 7200, waits: true }),
      ...outOfRamdisk(),
    ]),
} satisfies Partial<Record<Plan['kind'], () => Plan>>
type Kind = keyof typeof plans

async function carryOut(kind: Kind, cutAt: number): Promise<string[]> {
  fixture = await new Fixture().plugIn()
  const passed: string[] = []
  let cut = (): void => {}
  const dead = new Promise<void>((resolve) => (cut = resolve))
  await fixture.boot((at) => {
    passed.push(at)
    if (passed.length === cutAt) {
      cut()
      throw new Error(`power cut at ${at}`)
    }
  })
  const plan = plans[kind]()
  fixture.machine.disk.image = 'of before'
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
  const releasing = kind === 'clean' ? unholdWhenHeld(plan) : Promise.resolve()
  if (cutAt <= points[kind]) {
    await dead
    await fixture.boot()
  }
  const end = await fixture.cloud.ended(plan.id)
  await releasing
  expect(end, passed.at(-1)).toMatchObject({ phase: 'done', note: null, power_state: 'power off' })
  expect(fixture.machine.accidents).toEqual([])
  const reports = fixture.cloud.progress(plan.id)
  expect(reports.map(({ ordinal }) => ordinal)).toEqual(reports.map((_, index) => index + 1))
  expect(end.seconds).toHaveLength(plan.steps.length)
  if (kind === 'clean') expect(fixture.machine.disk.image).toBeUndefined()
  else expect([...fixture.cloud.reports.values()]).toContainEqual(expect.objectContaining({ kind: 'inventory' }))
  return passed
}

/** As a person would who sees that it is held: the cloud sends the command once, and keeps it. */
async function unholdWhenHeld(plan: Plan): Promise<void> {
  const held = () => fixture.cloud.progress(plan.id).find(({ phase }) => phase === 'held')
  await expect.poll(held, { timeout: 60_000, interval: 5 }).toBeDefined()
  fixture.cloud.send({ kind: 'unhold', node: plan.node, generation: 1, lane: 'provision', step: held()!.step })
}

/** How many points a whole plan passes at which a cut would leave another ledger. */
const points: Record<Kind, number> = { clean: 32, inspect: 23 }

for (const kind of Object.keys(plans) as Kind[]) {
  test(`an undisturbed plan to ${kind} passes every point`, async () => {
    expect(await carryOut(kind, Infinity)).toHaveLength(points[kind])
  })

  for (let at = 1; at <= points[kind]; at += 1) {
    test(`the appliance dies at point ${at} of a plan to ${kind}: the next life finishes it`, async () => {
      await carryOut(kind, at)
    })
  }
}
