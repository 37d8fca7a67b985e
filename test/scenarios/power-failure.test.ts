import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** What happens to machines and their BMCs while nobody asks for anything, from the BMC to the node. */

const WITHIN = 120_000
const patient = { timeout: WITHIN, interval: 50 }
let cloud: CloudHere
let fleet: Fleet
let ipmi: Member
let redfish: Member

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 2,
    speed: 50,
    drivers: ['ipmi', 'redfish'],
  })
  await fleet.join()
  ;[ipmi, redfish] = fleet.members as [Member, Member]
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const node = ({ uuid }: Member) => fleet.client.nodes.get(uuid)

test('a button that somebody presses at the rack is seen, by IPMI and by Redfish, and told in the history', async () => {
  for (const member of [ipmi, redfish]) {
    await fleet.client.nodes.power(member.uuid, 'power on')
    await expect.poll(async () => (await node(member)).power_state, patient).toBe('power on')
    await expect.poll(async () => (await node(member)).target_power_state, patient).toBeNull()
    member.machine.off()
    await expect.poll(async () => (await node(member)).power_state, patient).toBe('power off')
    expect(await fleet.history(member.uuid)).toContain('Power state: power on to power off.')
    expect(await node(member)).toMatchObject({ target_power_state: null, maintenance: false, last_error: null })
  }
})

test('a BMC that lets nobody in puts its node in maintenance by fault, and takes it out again when it does; a person’s own stays', async () => {
  await fleet.client.nodes.maintenance(redfish.uuid, 'new fans')
  const { port, password } = ipmi.machine
  const restart = async (now: string): Promise<void> => {
    await ipmi.machine.unplug()
    ipmi.machine.password = now
    await ipmi.machine.plugIn('127.0.0.1', port)
  }
  await restart('another')
  await expect.poll(async () => (await node(ipmi)).fault, patient).toBe('power failure')
  const failed = await node(ipmi)
  expect(failed).toMatchObject({ maintenance: true, provision_state: 'manageable' })
  expect(failed.maintenance_reason).toMatch(
    /^During sync of power states: its BMC did not answer \d+ times in \d+ min: /,
  )
  expect(failed.last_error).toBe(failed.maintenance_reason)
  await restart(password)
  await expect.poll(async () => (await node(ipmi)).maintenance, patient).toBe(false)
  expect(await node(ipmi)).toMatchObject({ fault: null, maintenance_reason: null, last_error: null })
  expect(await node(redfish)).toMatchObject({ maintenance: true, maintenance_reason: 'new fans', fault: null })
})
