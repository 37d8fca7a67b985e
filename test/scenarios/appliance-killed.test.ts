import { afterEach, expect, test } from 'vitest'
import { DIGEST, Fixture } from '../rack/paper/fixture.ts'

let fixture: Fixture
afterEach(() => fixture.tearDown())

async function deploy(cutAt: number): Promise<string[]> {
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
  const plan = fixture.deployPlan()
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
  if (cutAt <= points) {
    await dead
    await fixture.boot()
  }
  const end = await fixture.cloud.ended(plan.id)
  expect(end, passed.at(-1)).toMatchObject({ phase: 'done', note: null, power_state: 'power on' })
  await expect.poll(() => fixture.machine.boots.at(-1)).toBe(`disk ${DIGEST}`)
  expect(fixture.machine.accidents).toEqual([])
  const ordinals = fixture.cloud.progress(plan.id).map((each) => each.ordinal)
  expect(ordinals).toEqual(ordinals.map((_, index) => index + 1))
  expect(end.seconds).toHaveLength(plan.steps.length)
  return passed
}

/** How many points a whole deploy passes at which a cut would leave another ledger. */
const points = 33

test('an undisturbed deploy passes every point', async () => {
  expect((await deploy(Infinity)).length).toBe(points)
})

for (let at = 1; at <= points; at += 1) {
  test(`the appliance dies at point ${at} of a deploy: the next life finishes it`, async () => {
    await deploy(at)
  })
}
