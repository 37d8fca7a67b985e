import { dialects } from '@bloomery/redfish/service/dialect.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Plan, Step } from '../../contract/plan.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** RAID of iDRACs, as Ironic's `idrac-redfish` has it: what disks bring along from other machines is cleared, disks and controllers come under RAID. */

let fixture: Fixture
beforeEach(async () => {
  fixture = new Fixture('redfish')
  fixture.machine.dialect = dialects.find(({ name }) => name === 'dell')
  await fixture.plugIn()
  await fixture.boot()
})
afterEach(() => fixture.tearDown())

/** Paper time is quick, and the BMC's is not. */
const long = { deadline_seconds: 86_400 }
const volume = { size_gb: 100, raid_level: '1', volume_name: 'root' }
const controller = () => fixture.machine.redfish.dellRaid

function send(steps: Step[]): Plan {
  const plan = fixture.plan('clean', steps)
  plan.machine.interfaces['raid'] = 'idrac-redfish'
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
  return plan
}
const run = async (steps: Step[]) => fixture.cloud.ended(send(steps).id)
const remove = step('raid.delete_configuration', {}, long)
const apply = (deletes: boolean) =>
  step('raid.apply_configuration', { raid_config: { logical_disks: [volume] }, delete_existing: deletes }, long)

test('a controller that needs no restart clears a foreign configuration and converts drives while the machine is off', async () => {
  controller().foreign = true
  controller().outside.add('Bay1').add('Bay3')
  const end = await run([apply(true)])
  expect([end.phase, end.note, end.power_state]).toEqual(['done', null, expect.not.stringMatching('on')])
  expect([controller().foreign, [...controller().outside]]).toEqual([false, ['Bay3']])
  expect(fixture.machine.redfish.volumes).toMatchObject([{ name: 'root', drives: ['Bay1', 'Bay2'] }])
  expect(fixture.machine.starts).toBe(0)
})

test('where the controller needs a restart for it, the machine is restarted, and off again at the end', async () => {
  controller().mode = 'EnhancedHBA'
  const end = await run([remove])
  expect([end.phase, end.note, end.power_state]).toEqual(['done', null, 'power off'])
  expect(controller().mode).toBe('RAID')
  expect(fixture.machine.starts).toBe(1)
})

test('an appliance killed in between follows the job that it began', async () => {
  Object.assign(controller(), { foreign: true, realTime: false })
  let killed = false
  fixture.site!.kill()
  await fixture.boot((at) => {
    if (at !== 'after raid.delete_configuration' || killed) return
    killed = true
    throw new Error('power cut')
  })
  const plan = send([remove])
  await expect.poll(() => killed, { timeout: 60_000 }).toBe(true)
  await fixture.boot()
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done', note: null })
  expect([controller().foreign, fixture.machine.starts]).toEqual([false, 1])
})

test("another vendor's RAID is left alone", async () => {
  await fixture.tearDown()
  fixture = await new Fixture('redfish').plugIn()
  await fixture.boot()
  controller().foreign = true
  const plan = fixture.plan('clean', [remove])
  plan.machine.interfaces['raid'] = 'redfish'
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  expect(controller().foreign).toBe(true)
})
