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
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done', power_state: 'power on' })
  await expect.poll(() => fixture.machine.boots).toEqual(['network', `disk ${DIGEST}`])
  expect(fixture.machine.accidents).toEqual([])
})

test('the appliance killed while the agent is at work goes on where it was, with a new session', async () => {
  const plan = fixture.deployPlan()
  run(plan)
  await expect.poll(() => fixture.machine.boots.length, { timeout: 60_000 }).toBe(1)
  fixture.site!.kill()
  await fixture.boot()
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  await expect.poll(() => fixture.machine.boots.at(-1)).toBe(`disk ${DIGEST}`)
  expect(fixture.machine.accidents).toEqual([])
})

test('a wrong password fails the verification with what to correct, and is nowhere in logs or reports', async () => {
  const plan = fixture.plan('verify', [step('power.validate')])
  plan.machine.driver_info['redfish_password'] = 'not the password'
  run(plan)
  const end = await fixture.cloud.ended(plan.id)
  expect(end.phase).toBe('failed')
  expect(end.note).toMatch(/BMC 127\.0\.0\.1:\d+, log in: user "admin" or its password is not accepted/)
  const told = JSON.stringify([fixture.log, [...fixture.cloud.reports.values()]])
  expect(told).not.toContain('paper-secret')
  expect(told).not.toContain('not the password')
})

/** As the plan of a node whose boot interface is that of virtual media. */
function byMedium(plan: Plan): Plan {
  plan.machine.interfaces['boot'] = 'redfish-virtual-media'
  plan.machine.network_data = {
    links: [{ id: 'card', type: 'phy', ethernet_mac_address: fixture.machine.mac }],
    networks: [
      { id: 'n', type: 'ipv4', link: 'card', ip_address: '192.0.2.9', netmask: '255.255.255.0', gateway: '192.0.2.1' },
    ],
    services: [{ type: 'dns', address: '192.0.2.53' }],
  }
  return plan
}

test('by virtual media: a medium of its own once, with its addresses, then its disk; the drive is empty and its URL dead', async () => {
  let url: string | undefined
  const plan = byMedium(fixture.deployPlan())
  run(plan)
  await expect
    .poll(() => (url ??= fixture.machine.redfish.slots.find(({ image }) => image)?.image), { timeout: 60_000 })
    .toMatch(/\/boot\/[\w-]{43}\/boot\.iso$/)
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done', power_state: 'power on' })
  await expect.poll(() => fixture.machine.boots).toEqual(['medium', `disk ${DIGEST}`])
  const mac = fixture.machine.mac
  expect(fixture.machine.network).toBe(
    `address ${mac} 192.0.2.9/24\nroute ${mac} 0.0.0.0/0 192.0.2.1\ndns 192.0.2.53\n`,
  )
  expect(fixture.machine.redfish.slots.some(({ image }) => image)).toBe(false)
  expect((await fetch(url!)).status).toBe(403)
  expect(fixture.machine.accidents).toEqual([])
})

test('by virtual media: the appliance killed while the agent is at work goes on, and the medium is out in the end', async () => {
  const plan = byMedium(fixture.deployPlan())
  run(plan)
  await expect.poll(() => fixture.machine.boots.length, { timeout: 60_000 }).toBe(1)
  fixture.site!.kill()
  await fixture.boot()
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  await expect.poll(() => fixture.machine.boots).toEqual(['medium', `disk ${DIGEST}`])
  expect(fixture.machine.redfish.slots.some(({ image }) => image)).toBe(false)
  expect(fixture.machine.accidents).toEqual([])
})

test('network data that the ramdisk can’t have fails the plan with what is wrong', async () => {
  const plan = byMedium(fixture.deployPlan())
  plan.machine.network_data = { links: [], networks: [{ id: 'n', type: 'ipv4', link: 'x', ip_address: '192.0.2.9' }] }
  run(plan)
  const end = await fixture.cloud.ended(plan.id)
  expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(/prepare_ramdisk: network_data: network n/)])
})
