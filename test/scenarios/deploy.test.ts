import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NodeView } from '../../contract/api/views.ts'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { filesUnder } from './files-under.ts'
import { cleaned, deployed, toManageable, way } from './way.ts'

let cloud: CloudHere
let fleet: Fleet
let member: Member
const seen: NodeView[] = []
const watching = new AbortController()

/** As somebody would who asks all the time. */
async function watch(): Promise<void> {
  while (!watching.signal.aborted) {
    seen.push(await fleet.client.nodes.get(member.uuid))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 100 })
  await fleet.join()
  await fleet.pushImage('debian')
  member = fleet.members[0]!
  const watched = watch()
  await fleet.makeAvailable([member])
  await fleet.startDeploy([member], 'debian')
  await fleet.reach([member], 'active', 60_000)
  watching.abort()
  await watched
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const wayUp = way(...toManageable, ...cleaned, ...deployed)

test('API calls alone bring a node from enroll to active, its disk written and its power on', async () => {
  const node = await fleet.client.nodes.get(member.uuid)
  expect(node).toMatchObject({
    provision_state: 'active',
    target_provision_state: null,
    power_state: 'power on',
    last_error: null,
    reservation: null,
    deploy_step: {},
    clean_step: {},
    instance_info: { image_source: 'debian' },
  })
  expect(member.machine.power).toBe('on')
  expect(member.machine.disk).toMatchObject({ image: DIGEST, configDrive: expect.any(String) })
  await expect.poll(() => member.machine.boots).toEqual(['network', 'network', `disk ${DIGEST}`])
  expect(fleet.accidents()).toEqual([])
})

test("its states on the way are exactly Ironic's, each transition once in its history", async () => {
  expect(await fleet.history(member.uuid)).toEqual(wayUp)
  const states = new Set(seen.map((node) => node.provision_state))
  expect([...states].filter((state) => !wayUp.some((event) => event.includes(`${state}`)))).toEqual([])
  for (const state of ['clean wait', 'wait call-back'] as const) expect(states).toContain(state)
})

test('while it deploys it shows its step, its target and who has it in hand; while it rests, none of them', () => {
  const deploying = seen.filter((node) => node.provision_state === 'wait call-back')
  const steps = deploying.map(({ deploy_step: step }) => step)
  expect(steps).toContainEqual(expect.objectContaining({ interface: 'deploy', step: 'write_image' }))
  for (const node of deploying)
    expect(node).toMatchObject({ reservation: 'site-1-appliance', target_provision_state: 'active', clean_step: {} })
  for (const node of seen.filter((each) => each.provision_state === 'available'))
    expect(node).toMatchObject({ reservation: null, target_provision_state: null, deploy_step: {}, clean_step: {} })
})

test("nobody but the site's appliance can read the BMC password: not from the API, the cloud's files, the ledger or any log", async () => {
  const { driver_info: info } = await fleet.client.nodes.get(member.uuid)
  expect(info['ipmi_password']).toBe('******')
  const { password } = member.machine
  const written = [cloud.dataDir, fleet.dir].flatMap(filesUnder)
  expect(written.map(({ path }) => path).filter((path) => path.endsWith('.sqlite')).length).toBeGreaterThanOrEqual(2)
  expect(written.filter(({ bytes }) => bytes.includes(member.uuid)).length).toBeGreaterThanOrEqual(2)
  expect(written.filter(({ bytes }) => bytes.includes(password)).map(({ path }) => path)).toEqual([])
  expect([...cloud.logged, ...fleet.logged].filter((line) => line.includes(password))).toEqual([])
  expect(JSON.stringify(member.site.crossed)).not.toContain(password)
})

test('undeployed it is cleaned and available again, and nothing is left of the instance', async () => {
  await fleet.bring([member], 'deleted', 'available', 60_000)
  expect(await fleet.history(member.uuid)).toEqual([...wayUp, ...way('active', 'deleting', ...cleaned)])
  const node = await fleet.client.nodes.get(member.uuid)
  expect(node).toMatchObject({ instance_info: {}, instance_uuid: null, power_state: 'power off', last_error: null })
  expect(member.machine.disk).toEqual({ image: undefined, configDrive: undefined })
  expect(member.machine.power).toBe('off')
  expect(fleet.accidents()).toEqual([])
})
