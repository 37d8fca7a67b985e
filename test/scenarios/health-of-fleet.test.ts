import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run } from './bloomery-process.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** From a BMC's sensor to the command line: site, broker, cloud, API. */

let cloud: CloudHere
let fleet: Fleet
const PATIENCE = { timeout: 60_000, interval: 100 }
const WITHIN = 60_000

beforeAll(async () => {
  cloud = await cloudHere()
  const drivers = ['ipmi', 'redfish'] as const
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, drivers, speed: 4, healthMs: 1200 })
  await fleet.join()
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

const cli = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run([...args, '--endpoint', cloud.endpoint])
  if (code !== 0) throw new Error(`bloomery ${args.join(' ')}: ${stderr}`)
  return stdout
}
test('machines that are well are told so once, and looks without news cross no WAN', async () => {
  for (const { uuid } of fleet.members)
    await expect.poll(async () => (await fleet.client.nodes.get(uuid)).health, PATIENCE).toBe('OK')
  const [site] = fleet.sites
  const looks = (): number =>
    Number(/bloomery_bmc_looks_total\{result="done"\} (\d+)/.exec(site!.life.metrics.text())?.[1])
  // By their numbers: what is not acknowledged in time is sent again.
  const reports = (): number =>
    new Set(
      site!.crossed.up
        .flatMap((each) => (each.kind === 'reports' ? each.reports : []))
        .filter(({ kind }) => kind === 'health')
        .map(({ seq }) => seq),
    ).size
  const before = looks()
  await expect.poll(looks, PATIENCE).toBeGreaterThan(before + 6)
  expect(reports()).toBe(fleet.members.length)
})

test('machines that get too hot show in the list, with the cause, in their history and in why', async () => {
  for (const { machine } of fleet.members) machine.vitals.inletCelsius = 56
  const { nodes } = fleet.client
  await expect.poll(async () => (await nodes.list({ health: 'critical' })).length, PATIENCE).toBe(2)
  for (const { uuid } of fleet.members) {
    const { causes } = await nodes.health(uuid)
    const hot = expect.stringMatching(/^Inlet: 56 °C, at or above its upper critical/) as string
    expect(causes.map(({ text }) => text)).toEqual([hot])
    const history = await nodes.history(uuid, { detail: true })
    expect(history.at(-1)).toMatchObject({ event_type: 'health', severity: 'ERROR' })
    expect((await nodes.why(uuid)).reason).toMatch(/hardware is not well \(Critical\): Inlet: 56 °C/)
  }
  const [first] = fleet.members as [Member]
  expect(await cli('node', 'list', '--health', 'critical')).toMatch(/^NODE .*HEALTH.*\n.*Critical.*\n.*Critical.*\n$/)
  expect(await cli('node', 'health', first.machine.name)).toMatch(/^health +Critical\n[^]*Inlet: 56 °C/)
})

test('sensors are read when somebody asks', async () => {
  const [first] = fleet.members as [Member]
  expect(await cli('node', 'sensors', first.machine.name)).toMatch(/\nInlet +temperature +56 °C +Critical\n/)
})
