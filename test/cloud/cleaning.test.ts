import { afterEach, describe, expect, it } from 'vitest'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { stepName } from '../../contract/plan.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

let cloud: ControlPlane
let site: PaperSite
afterEach(() => cloud[Symbol.asyncDispose]())

async function open(options: Partial<ConductorOptions> = {}): Promise<void> {
  cloud = await openControlPlane(undefined, options)
  site = new PaperSite(cloud, (await withSite(cloud)).appliance)
}

const send = (method: string, path: string, body?: unknown) =>
  cloud.request(path, {
    method,
    headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })

async function manageable(more: Record<string, unknown> = {}): Promise<string> {
  const driver_info = (more['driver_info'] as object | undefined) ?? {}
  const { uuid } = await cloud.client.nodes.create({ ...more, driver: 'fake-hardware', driver_info })
  await cloud.client.nodes.provision(uuid, 'manage')
  await cloud.settle()
  await site.carryOut(uuid)
  return uuid
}

async function runbook(name: string, more: Record<string, unknown> = {}, ...traits: string[]): Promise<void> {
  const steps = [
    { interface: 'raid', step: 'delete_configuration', args: {}, order: 2 },
    { interface: 'bios', step: 'factory_reset', args: {}, order: 1 },
  ]
  expect((await send('POST', '/v1/runbooks', { name, steps, ...more })).status).toBe(201)
  expect((await send('PUT', `/v1/runbooks/${name}/traits`, { traits })).status).toBe(204)
}

async function provide(uuid: string) {
  const reply = await send('PUT', `/v1/nodes/${uuid}/states/provision`, { target: 'provide' })
  await cloud.settle()
  const { provision_state, last_error } = await cloud.client.nodes.get(uuid)
  return { status: reply.status, provision_state, last_error }
}
const planned = (uuid: string): string[] => site.plan(uuid).steps.map(stepName)
const TRAIT = 'CUSTOM_WIPE'
const byRunbook = { automated_cleaning_step_source: 'runbook', automated_cleaning_runbook: 'wipe' } as const

describe('automated cleaning by runbook', () => {
  it('has its steps in their order', async () => {
    await open(byRunbook)
    await runbook('wipe', {}, TRAIT)
    const node = await manageable()
    await send('PUT', `/v1/nodes/${node}/traits/${TRAIT}`)
    expect(await provide(node)).toMatchObject({ status: 202, provision_state: 'cleaning' })
    expect(planned(node)).toEqual(['bios.factory_reset', 'raid.delete_configuration'])
  })

  it('fails, and says why, where the node has no trait of it, unless traits don’t matter', async () => {
    await open(byRunbook)
    await runbook('wipe', {}, TRAIT)
    expect(await provide(await manageable())).toMatchObject({
      provision_state: 'clean failed',
      last_error: expect.stringContaining(TRAIT),
    })
    await cloud[Symbol.asyncDispose]()
    await open({ ...byRunbook, automated_cleaning_runbook_validate_traits: false })
    await runbook('wipe', {}, TRAIT)
    expect(await provide(await manageable())).toMatchObject({ provision_state: 'cleaning' })
  })

  it('fails, and says why, where there is none; a hybrid then generates its steps', async () => {
    await open({ automated_cleaning_step_source: 'runbook' })
    expect(await provide(await manageable())).toMatchObject({
      provision_state: 'clean failed',
      last_error: expect.stringContaining('none is set'),
    })
    await cloud[Symbol.asyncDispose]()
    await open({ automated_cleaning_step_source: 'hybrid' })
    const node = await manageable()
    expect(await provide(node)).toMatchObject({ provision_state: 'cleaning' })
    expect(planned(node)).toEqual(['deploy.erase_devices_metadata'])
  })

  it('fails where the runbook is gone', async () => {
    await open(byRunbook)
    expect(await provide(await manageable())).toMatchObject({
      last_error: expect.stringContaining('could not be found'),
    })
  })

  it('is by that of the node before that of its resource class before that of all, if the operator lets nodes say', async () => {
    const options: Partial<ConductorOptions> = {
      ...byRunbook,
      automated_cleaning_runbook_by_resource_class: { big: 'class' },
      automated_cleaning_runbook_validate_traits: false,
    }
    const own = { driver_info: { cleaning_runbook: 'own' }, resource_class: 'big' }
    for (const [from_node, disabled] of [
      [true, 'own'],
      [false, 'class'],
    ] as const) {
      await open({ ...options, automated_cleaning_runbook_from_node: from_node })
      for (const name of ['own', 'class', 'wipe'])
        await runbook(name, { steps: [{ interface: 'bios', step: 'factory_reset', args: {}, order: 1 }] })
      // The one that counts is told by what it can't do.
      await send('PATCH', `/v1/runbooks/${disabled}`, [
        { op: 'replace', path: '/steps', value: [{ interface: 'power', step: 'reboot', args: {}, order: 1 }] },
      ])
      const node = await manageable(own)
      await provide(node)
      expect(planned(node)).toEqual(['power.set_power_state'])
      if (from_node) await cloud[Symbol.asyncDispose]()
    }
  })
})

describe('the operator’s options', () => {
  it('switch automated cleaning off for nodes that don’t say', async () => {
    await open({ automated_clean: false })
    expect(await provide(await manageable())).toMatchObject({ provision_state: 'available' })
    const own = await manageable({ automated_clean: true })
    expect(await provide(own)).toMatchObject({ provision_state: 'cleaning' })
  })

  it('that leave no step to automated cleaning leave a node that is available', async () => {
    await open({ erase_devices_metadata_priority: 0 })
    const node = await manageable()
    expect(await provide(node)).toMatchObject({ provision_state: 'cleaning' })
    expect(planned(node)).toEqual(['power.validate'])
    await site.carryOut(node)
    expect((await cloud.client.nodes.get(node)).provision_state).toBe('available')
  })

  it('forbid steps', async () => {
    await open({ disallow_clean_steps: ['bios.factory_reset'] })
    const node = await manageable()
    const clean_steps = [{ interface: 'bios', step: 'factory_reset' }]
    const reply = await send('PUT', `/v1/nodes/${node}/states/provision`, { target: 'clean', clean_steps })
    expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('not allowed')])
  })

  it('keep a node in maintenance from becoming available, or from being cleaned after its tear-down', async () => {
    await open({ allow_provisioning_in_maintenance: false })
    const node = await manageable()
    await send('PUT', `/v1/nodes/${node}/maintenance`, {})
    expect(await provide(node)).toMatchObject({ status: 400, provision_state: 'manageable' })
    await send('DELETE', `/v1/nodes/${node}/maintenance`)
    await provide(node)
    await site.carryOut(node)
    for (const verb of ['active', 'deleted'] as const) {
      await cloud.client.nodes.provision(node, verb)
      await cloud.settle()
      if (verb === 'deleted') await send('PUT', `/v1/nodes/${node}/maintenance`, {})
      await site.carryOut(node)
    }
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'clean failed',
      last_error: expect.stringContaining('maintenance'),
    })
  })
})

it('the reserved step reboot is a reset of a machine that must not be off', async () => {
  await open()
  for (const [disable_power_off, step] of [
    [true, 'power.reset'],
    [false, 'power.set_power_state'],
  ] as const) {
    const node = await manageable({ disable_power_off })
    const clean_steps = [{ interface: 'management', step: 'reboot' }]
    expect((await send('PUT', `/v1/nodes/${node}/states/provision`, { target: 'clean', clean_steps })).status).toBe(202)
    await cloud.settle()
    expect(planned(node)).toEqual([step])
  }
})
