import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { HealthCause, LogLine } from '../../contract/health.ts'
import type { Report } from '../../contract/messages.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { cloud, newNode, provision, site } from './one-site.ts'

let uuid: string
let seq = 0
beforeEach(async () => {
  uuid = await newNode()
  seq = 0
})

const hot: HealthCause = {
  subject: 'sensor Inlet',
  level: 'Critical',
  text: 'Inlet: 48 °C, at or above its upper critical threshold of 45 °C',
  since: '2026-11-23T10:00:00.000Z',
}
type Health = Extract<Report, { kind: 'health' }>
const tell = async (more: Partial<Health>): Promise<Health> => {
  seq += 1
  const at = cloud.platform.clock.now().toISOString()
  const report: Health = {
    id: randomUUID(),
    seq,
    at,
    kind: 'health',
    node: uuid,
    health: 'OK',
    causes: [],
    log: [],
    ...more,
  }
  await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [report] })
  return report
}
const line = (text: string, level: LogLine['level'] = 'Warning'): LogLine => ({ at: null, level, text, times: 1 })
const show = async (minor: string) =>
  (await (
    await cloud.request('/v1/nodes/n1', { headers: { 'x-openstack-ironic-api-version': minor } })
  ).json()) as Record<string, unknown>

describe('the health that a site reports', () => {
  it('shows on the node from 1.109 on, with its causes on a route of ours', async () => {
    await tell({})
    expect(await cloud.client.nodes.health('n1')).toMatchObject({ health: 'OK', causes: [], log: [] })
    await tell({ health: 'Critical', causes: [hot] })
    expect((await show('1.109'))['health']).toBe('Critical')
    expect(await show('1.108')).not.toHaveProperty('health')
    expect(await cloud.client.nodes.health('n1')).toMatchObject({
      health: 'Critical',
      since: cloud.platform.clock.now().toISOString(),
      causes: [hot],
    })
  })

  it('is history and an event when it changes, once however often the report comes', async () => {
    await tell({})
    const report = await tell({ health: 'Critical', causes: [hot] })
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [{ ...report, seq: 3 }] })
    cloud.pass(60)
    await tell({ seq: 4 })
    cloud.pass(60)
    const entries = await cloud.client.nodes.history('n1', { detail: true })
    expect(entries.map(({ event_type, severity, event }) => [event_type, severity, event])).toEqual([
      ['health', 'ERROR', `Health: OK to Critical: ${hot.text}.`],
      ['health', 'INFO', 'Health: Critical to OK.'],
    ])
    const reply = await cloud.request('/v1/events?kind=health&after=2026-11-23T00:00:00.000Z', {
      headers: { 'x-openstack-ironic-api-version': '1.115' },
    })
    const { events } = (await reply.json()) as { events: Array<Record<string, unknown>> }
    expect(events).toMatchObject([
      { kind: 'health', severity: 'ERROR', node: uuid, site: 'berlin' },
      { kind: 'health', severity: 'INFO', node: uuid },
    ])
  })

  it('comes with what the BMC logged: troubles are history, and the end of the log is kept', async () => {
    const log = [line('memory 1: correctable ECC error'), line('system start', 'OK')]
    await tell({ log, log_left_out: 7 })
    const [entry] = await cloud.client.nodes.history('n1', { detail: true })
    expect(entry?.event).toBe('The BMC logged: memory 1: correctable ECC error; and 7 more.')
    for (let index = 0; index < 70; index += 1) await tell({ log: [line(`entry ${index}`, 'OK')] })
    const { log: kept } = await cloud.client.nodes.health('n1')
    expect(kept).toHaveLength(64)
    expect(kept.at(-1)?.text).toBe('entry 69')
  })

  it('is that of the last report by number, whatever the clock of its appliance says', async () => {
    await tell({ at: '2027-01-01T00:00:00.000Z' })
    await tell({ health: 'Critical', causes: [hot] })
    expect((await cloud.client.nodes.health('n1')).health).toBe('Critical')
    const late = { health: 'Warning' as const, causes: [], log: [line('late', 'OK')] }
    await tell({ seq: 9, health: 'OK' })
    await tell({ seq: 8, ...late })
    expect(await cloud.client.nodes.health('n1')).toMatchObject({ health: 'OK', log: [{ text: 'late' }] })
  })

  it('tells what two appliances read in one log once', async () => {
    const logged = { ...line('fan failed'), at: '2026-11-23T09:00:00.000Z' }
    await tell({ log: [logged] })
    await tell({ log: [logged] })
    expect((await cloud.client.nodes.health('n1')).log).toHaveLength(1)
    expect(await cloud.client.nodes.history('n1')).toHaveLength(1)
  })

  it('of another site’s node changes nothing', async () => {
    await changeNode(cloud.platform, uuid, (node) => ({ node: { ...node, conductor_group: 'paris' } }))
    await tell({ health: 'Critical', causes: [hot] })
    expect(await cloud.client.nodes.health('n1')).toMatchObject({ health: null, causes: [] })
  })

  it('is part of why', async () => {
    await tell({ health: 'Critical', causes: [hot] })
    expect((await cloud.client.nodes.why('n1')).reason).toMatch(/hardware is not well \(Critical\): Inlet: 48 °C/)
  })

  it('goes with its node', async () => {
    await tell({ health: 'Critical', causes: [hot] })
    await cloud.client.nodes.delete('n1')
    await cloud.settle()
    expect(await cloud.platform.table.get({ pk: `node#${uuid}`, sk: 'health' })).toBeUndefined()
  })
})

describe('a list of nodes', () => {
  it('is filtered by health for those who ask as we do, and by nobody else', async () => {
    await cloud.client.nodes.create({ name: 'n2', driver: 'ipmi' })
    await tell({ health: 'Warning', causes: [{ ...hot, level: 'Warning' }] })
    const names = async (health: string) => (await cloud.client.nodes.list({ health })).map(({ name }) => name)
    expect(await names('warning')).toEqual(['n1'])
    expect(await names('unknown')).toEqual(['n2'])
    expect(await names('OK')).toEqual([])
    await expect(names('poor')).rejects.toThrow('Health "poor" is not one of ok, warning, critical, unknown')
    const headers = { 'x-openstack-ironic-api-version': '1.115' }
    expect((await cloud.request('/v1/nodes?health=warning', { headers })).status).toBe(400)
  })
})

describe('sensors', () => {
  const sensors = [{ name: 'Inlet', kind: 'temperature' as const, value: 23.5, unit: '°C', level: 'OK' as const }]

  it('are read when somebody asks, and shown as they were read last', async () => {
    await cloud.client.nodes.provision('n1', 'manage')
    await cloud.settle()
    await site.carryOut(uuid, { power_state: 'power off' })
    await expect(cloud.client.nodes.sensors('n1')).rejects.toThrow(/were not read yet/)
    await cloud.client.nodes.readSensors('n1', {})
    await cloud.settle()
    const plan = site.plan(uuid)
    expect(plan.steps.map(({ step }) => step)).toEqual(['read_sensors'])
    const facts = { read_at: '2026-11-23T10:00:00.000Z', sensors }
    const { id, seq: number, at } = site.progress(plan, 'running')
    const told = {
      id,
      seq: number,
      at,
      kind: 'hardware',
      node: uuid,
      generation: plan.generation,
      plan: plan.id,
      facts,
    }
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [told] })
    await site.report(plan, 'done')
    expect(await cloud.client.nodes.sensors('n1')).toEqual(facts)
  })

  it('of fake hardware there are none', async () => {
    await cloud.client.nodes.create({ name: 'f', driver: 'fake-hardware', conductor_group: 'berlin' })
    await expect(cloud.client.nodes.readSensors('f', {})).rejects.toThrow(/get_sensors/)
  })
})

it('a machine that is no longer as its baseline declares it is told of once, and when it is again', async () => {
  const tellDrift = async (generation: number, drift: string[]) => {
    await provision(uuid, 'clean', { clean_steps: [{ interface: 'management', step: 'report_drift', args: {} }] })
    const plan = site.plan(uuid)
    expect(plan.steps.map(({ step }) => step)).toContain('report_drift')
    await site.report(plan, 'accepted')
    const { id, seq: number, at } = site.progress(plan, 'running')
    const facts = { read_at: `2026-11-23T10:00:0${generation}.000Z`, drift }
    const told = {
      id,
      seq: number,
      at,
      kind: 'hardware',
      node: uuid,
      generation: plan.generation,
      plan: plan.id,
      facts,
    }
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [told] })
    await site.report(plan, 'done', { step: plan.steps.length - 1 })
  }
  await provision(uuid, 'manage')
  await site.carryOut(uuid, { power_state: 'power off' })
  await cloud.client.nodes.patch(uuid, [
    { op: 'add', path: '/properties/baseline', value: { firmware: { bmc: '2.0' } } },
  ])
  for (const [index, drift] of [
    [],
    ['firmware of bmc is 1.0, not 2.0'],
    ['firmware of bmc is 1.0, not 2.0'],
    [],
  ].entries())
    await tellDrift(index, drift)
  const entries = await cloud.client.nodes.history('n1', { detail: true })
  expect(entries.filter(({ event_type }) => event_type === 'health').map(({ event }) => event)).toEqual([
    'The machine differs from properties/baseline: firmware of bmc is 1.0, not 2.0.',
    'The machine is as properties/baseline declares it.',
  ])
  expect((await cloud.client.nodes.health('n1')).drift).toEqual({
    read_at: '2026-11-23T10:00:03.000Z',
    differences: [],
  })
})
