import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { serve, type ServerType } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi } from '../../lambdas/api/app.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

/** OpenStack's own client, unmodified, against the API over HTTP. */
const run = promisify(execFile)

let cloud: ControlPlane
let server: ServerType
let endpoint: string
let site: PaperSite

beforeAll(async () => {
  cloud = await openControlPlane()
  const api = createApi(cloud.platform, { publicEndpoint: null, auth: { strategy: 'noauth' } })
  server = await new Promise<ServerType>((resolve) => {
    const started: ServerType = serve({ fetch: api.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  site = new PaperSite(cloud, (await withSite(cloud)).appliance)
})
afterAll(async () => {
  await new Promise((resolve) => {
    server.close(resolve)
  })
  await cloud[Symbol.asyncDispose]()
})

async function text(...args: string[]): Promise<string> {
  const where = ['--os-auth-type', 'none', '--os-endpoint', endpoint]
  const { stdout } = await run('openstack', [...where, 'baremetal', ...args], { timeout: 50_000 })
  return stdout
}
const json = async (...args: string[]): Promise<unknown> => JSON.parse(await text(...args, '-f', 'json'))

describe('the openstack client', () => {
  it('creates, shows, lists and validates a node with its port', async () => {
    const info = ['ipmi_address=192.0.2.1', 'ipmi_password=pa55'].flatMap((each) => ['--driver-info', each])
    const created = (await json('node', 'create', '--driver', 'ipmi', '--name', 'n1', ...info)) as { uuid: string }
    expect(created).toMatchObject({ provision_state: 'enroll', driver_info: { ipmi_password: '******' } })
    await json('port', 'create', '52:54:00:aa:00:01', '--node', created.uuid)
    expect(await json('node', 'list')).toMatchObject([
      { Name: 'n1', 'Provisioning State': 'enroll', Maintenance: false },
    ])
    expect(await json('node', 'show', 'n1')).toMatchObject({ uuid: created.uuid, conductor_group: 'berlin' })
    expect(await json('port', 'list', '--node', 'n1')).toMatchObject([{ Address: '52:54:00:aa:00:01' }])
    const checks = (await json('node', 'validate', 'n1')) as Array<{ Interface: string; Result: boolean | null }>
    expect(checks.find(({ Interface }) => Interface === 'power')).toMatchObject({ Result: true })
    expect(checks.find(({ Interface }) => Interface === 'deploy')).toMatchObject({ Result: false })
  }, 60_000)

  it('manages it and sets what it likes', async () => {
    await text('node', 'manage', 'n1')
    await cloud.settle()
    const { uuid } = await cloud.client.nodes.get('n1')
    await site.carryOut(uuid, { power_state: 'power off' })
    expect(await json('node', 'show', 'n1', '--fields', 'provision_state', 'power_state')).toEqual({
      provision_state: 'manageable',
      power_state: 'power off',
    })
    await text('node', 'set', 'n1', '--resource-class', 'baremetal', '--property', 'cpu_arch=x86_64')
    expect(await json('node', 'show', 'n1')).toMatchObject({ resource_class: 'baremetal' })
    await expect(text('node', 'rescue', 'n1', '--rescue-password', 'x')).rejects.toThrow(
      /"rescue" can not be performed/,
    )
  }, 60_000)

  it('sees drivers and conductors', async () => {
    expect(await json('driver', 'list')).toContainEqual({ 'Supported driver(s)': 'ipmi', 'Active host(s)': 'box-1' })
    expect(await json('conductor', 'list')).toMatchObject([
      { Hostname: 'box-1', 'Conductor Group': 'berlin', Alive: true },
    ])
  }, 60_000)
})
