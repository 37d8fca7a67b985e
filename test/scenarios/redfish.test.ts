import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Plan } from '../../contract/plan.ts'
import { DIGEST, Fixture, step } from '../rack/paper/fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await new Fixture('redfish').plugIn()
  await fixture.boot()
})
afterEach(() => fixture.tearDown())

function run(plan: Plan) {
  return fixture.cloud.send({ kind: 'run', node: fixture.node, generation: plan.generation, plan })
}

test('a machine with a Redfish BMC is deployed: from the network once, then from its disk', async () => {
  const plan = fixture.deployPlan()
  run(plan)
  expect(await fixture.cloud.ended(plan.id, 20_000)).toMatchObject({ phase: 'done', power_state: 'power on' })
  await expect.poll(() => fixture.machine.boots).toEqual(['network', `disk ${DIGEST}`])
  expect(fixture.machine.accidents).toEqual([])
})

test('the appliance killed while the agent is at work goes on where it was, with a new session', async () => {
  const plan = fixture.deployPlan()
  run(plan)
  await expect.poll(() => fixture.machine.boots.length, { timeout: 10_000 }).toBe(1)
  fixture.site!.kill()
  await fixture.boot()
  expect(await fixture.cloud.ended(plan.id, 20_000)).toMatchObject({ phase: 'done' })
  await expect.poll(() => fixture.machine.boots.at(-1)).toBe(`disk ${DIGEST}`)
  expect(fixture.machine.accidents).toEqual([])
})

test('a wrong password fails the verification with what to correct, and is nowhere in logs or reports', async () => {
  const plan = fixture.plan('verify', [step('power.validate')])
  plan.machine.driver_info['redfish_password'] = 'not the password'
  run(plan)
  const end = await fixture.cloud.ended(plan.id, 20_000)
  expect(end.phase).toBe('failed')
  expect(end.note).toMatch(/BMC 127\.0\.0\.1:\d+, log in: user "admin" or its password is not accepted/)
  const told = JSON.stringify([fixture.log, [...fixture.cloud.reports.values()]])
  expect(told).not.toContain('paper-secret')
  expect(told).not.toContain('not the password')
})
