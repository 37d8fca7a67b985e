import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MachinesToHave, openMachines } from '../clients/machines.ts'
import { run, type Ran } from './bloomery-process.ts'
import { personOf } from './person.ts'

/** `bloomery server`, of a person in a project, on machines that deploy. */

let machines: MachinesToHave
beforeAll(async () => {
  machines = await openMachines(1)
  const ask = await personOf(machines)
  const make = (path: string, body: object) => ask('POST', path, body)
  const { flavor } = await make('/compute/v2.1/flavors', { flavor: { name: 'metal', vcpus: 1, ram: 1024, disk: 1 } })
  const extra_specs = { 'resources:CUSTOM_BAREMETAL': '1' }
  await make(`/compute/v2.1/flavors/${flavor.id}/os-extra_specs`, { extra_specs })
  const { network } = await make('/network/v2.0/networks', { network: { name: 'rack' } })
  await make('/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.20.0.0/24' } })
}, 180_000)
afterAll(() => machines?.stop())

const endpoint = (): string => machines.settings['OS_AUTH_URL']!.replace(/\/identity$/, '')

const cli = (line: string, project = 'admin'): Promise<Ran> =>
  run([...line.split(' '), '--endpoint', endpoint()], {
    BLOOMERY_USERNAME: 'admin',
    BLOOMERY_PASSWORD: machines.settings['OS_PASSWORD']!,
    ...(project === '' ? {} : { BLOOMERY_PROJECT: project }),
  })
const said = async (line: string): Promise<string> => {
  const { code, stdout, stderr } = await cli(line)
  if (code !== 0) throw new Error(`bloomery ${line}: ${stderr}`)
  return stdout
}

it('makes a server, shows it, switches it, and gives it back', { timeout: 300_000 }, async () => {
  const made = await said('server create web --flavor metal --image debian --property role=web --wait')
  expect(made).toMatch(/^Server web runs: 10\.20\.0\.\d+/)
  expect(await said('server list')).toMatch(/web +ACTIVE +10\.20\.0\.\d+ +metal/)
  expect(await said('server show web')).toMatch(/site-1/)
  expect(await said('server reboot web --wait')).toMatch(/done/)
  expect(await said('server events web')).toMatch(/reboot[^]*create/)
  expect(await said('server delete web --wait')).toMatch(/gone/)
  expect(JSON.parse(await said('server list --json'))).toEqual([])
})

it('says what is missing: a thing, a project, a node', { timeout: 300_000 }, async () => {
  const unknown = await cli('server create web --flavor none --image debian')
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('among the flavors: none')])
  const homeless = await cli('server create web --flavor metal --image debian', '')
  expect([homeless.code, homeless.stderr]).toEqual([2, expect.stringContaining('BLOOMERY_PROJECT')])
  await said('server create one --flavor metal --image debian --wait')
  const none = await cli('server create two --flavor metal --image debian --wait')
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('No valid host')])
  expect(await said('why two')).toMatch(/^No valid host[^]*scheduling +Error/)
  const neither = await cli('why three')
  expect([neither.code, neither.stderr]).toEqual([3, expect.stringContaining('three')])
})

it('makes volumes, of which there are none without an appliance that has room', { timeout: 300_000 }, async () => {
  const failed = await cli('volume create data --size 1 --wait')
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('data is in error: no appliance')])
  expect(await said('volume list')).toMatch(/data +error +1/)
  expect(await said('volume show data')).toContain('volumes.gib')
  const both = await cli('server create x --flavor metal --image debian --volume data')
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('either --image or --volume')])
  const unbootable = await cli('server create x --flavor metal --volume data')
  expect([unbootable.code, unbootable.stderr]).toEqual([3, expect.stringContaining('must be available')])
  expect(await said('volume delete data --wait')).toContain('gone')
  expect(JSON.parse(await said('volume list --json'))).toEqual([])
})

it('shows help with examples for each of its commands', { timeout: 300_000 }, async () => {
  const ofServers = ['create', 'list', 'show', 'delete', 'console', 'events', 'start', 'rescue', 'rebuild']
  const ofVolumes = ['create', 'list', 'show', 'delete', 'attach', 'detach']
  for (const verb of [...ofServers.map((each) => `server ${each}`), ...ofVolumes.map((each) => `volume ${each}`)]) {
    const { code, stdout } = await run([...verb.split(' '), '--help'])
    expect([code, stdout], verb).toEqual([0, expect.stringContaining('Examples:')])
  }
})
