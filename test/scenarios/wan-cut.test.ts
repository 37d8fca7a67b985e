import { afterEach, beforeEach, expect, test } from 'vitest'
import { DIGEST, Fleet } from '../rack/paper/fleet.ts'
import { appliedTwice } from './applied.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { allIsReceived } from './received.ts'
import { cleaned, deployed, toManageable, way } from './way.ts'

let cloud: CloudHere
let fleet: Fleet
beforeEach(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 2, machinesPerSite: 1, speed: 30 })
  await fleet.join()
  await fleet.pushImage('debian')
  await fleet.makeAvailable(fleet.members)
})
afterEach(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const quick = { timeout: 60_000, interval: 5 }

test('WAN cut right after the command was accepted: the machine comes up, and the cloud catches up when the WAN is back, each report applied once', async () => {
  const [member, other] = fleet.members
  const { uuid, machine, site } = member!
  await fleet.startDeploy([member!], 'debian')
  await expect.poll(() => fleet.logged.some((line) => isAccepted(line, uuid)), quick).toBe(true)
  site.relay.cut()
  await expect.poll(() => machine.boots.at(-1), quick).toBe(`disk ${DIGEST}`)

  const meanwhile = await fleet.client.nodes.get(uuid)
  expect(meanwhile.provision_state).toMatch(/^(deploying|wait call-back)$/)
  await fleet.startDeploy([other!], 'debian')
  await fleet.reach([other!], 'active', 60_000) // another site's WAN is another's

  site.relay.mend()
  await fleet.reach([member!], 'active', 60_000)
  expect(await fleet.client.nodes.get(uuid)).toMatchObject({ power_state: 'power on', last_error: null })
  expect(await fleet.history(uuid)).toEqual(way(...toManageable, ...cleaned, ...deployed))
  expect(appliedTwice(cloud.logged)).toEqual([])
  await allIsReceived(site.crossed)
  expect(fleet.accidents()).toEqual([])
})

test('WAN cut before the command was sent: it waits, and is carried out once when the WAN is back', async () => {
  const [member] = fleet.members
  const { uuid, machine, site } = member!
  site.relay.cut()
  const boots = machine.boots.length
  await fleet.startDeploy([member!], 'debian')
  await expect.poll(async () => (await fleet.client.nodes.get(uuid)).operation?.phase, quick).toBe('sent')
  site.relay.mend()
  await fleet.reach([member!], 'active', 60_000)
  await expect.poll(() => machine.boots.slice(boots), quick).toEqual(['network', `disk ${DIGEST}`])
  expect(await fleet.history(uuid)).toEqual(way(...toManageable, ...cleaned, ...deployed))
})

test('a WAN that breaks at every second message of a deploy costs nothing but time', async () => {
  const [member] = fleet.members
  const { uuid, site } = member!
  const { up } = site.crossed
  let cuts = 0
  let next = up.length + 2
  const breaking = setInterval(() => {
    if (up.length < next) return
    next = up.length + 2
    cuts += 1
    site.relay.cut()
    site.relay.mend()
  }, 1)
  try {
    await fleet.startDeploy([member!], 'debian')
    await fleet.reach([member!], 'active', 60_000)
  } finally {
    clearInterval(breaking)
  }
  expect(cuts).toBeGreaterThanOrEqual(2)
  expect(await fleet.history(uuid)).toEqual(way(...toManageable, ...cleaned, ...deployed))
  expect(appliedTwice(cloud.logged)).toEqual([])
  await allIsReceived(site.crossed)
  expect(fleet.accidents()).toEqual([])
})

function isAccepted(line: string, node: string): boolean {
  return line.includes('"plan accepted"') && line.includes(node) && line.includes('"kind":"deploy"')
}
