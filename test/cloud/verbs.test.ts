import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '../../contract/api/client.ts'
import { isTransient, provision, type ProvisionState, type Verb, verbs as eventOf } from '../../contract/provision.ts'
import type { Node, Operation } from '../../contract/resources.ts'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { createApi } from '../../lambdas/app.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

/** Every cell of the state machine, through the API. Written down here anew from the reference (§2.3), so that the table of the
 * product is held against something. */
const cells: Record<ProvisionState, Partial<Record<Verb, ProvisionState>>> = {
  enroll: { manage: 'verifying' },
  verifying: {},
  manageable: { provide: 'cleaning', clean: 'cleaning', inspect: 'inspecting', adopt: 'adopting' },
  available: { active: 'deploying', deploy: 'deploying', manage: 'manageable' },
  deploying: {},
  'wait call-back': { abort: 'deploy failed', deleted: 'deleting', undeploy: 'deleting' },
  'deploy hold': { unhold: 'wait call-back', abort: 'deploy failed' },
  'deploy failed': {
    active: 'deploying',
    deploy: 'deploying',
    rebuild: 'deploying',
    deleted: 'deleting',
    undeploy: 'deleting',
  },
  active: {
    rebuild: 'deploying',
    deleted: 'deleting',
    undeploy: 'deleting',
    rescue: 'rescuing',
    service: 'servicing',
  },
  deleting: {},
  error: { rebuild: 'deploying', deleted: 'deleting', undeploy: 'deleting' },
  cleaning: {},
  'clean wait': { abort: 'clean failed' },
  'clean hold': { unhold: 'clean wait', abort: 'clean failed' },
  'clean failed': { manage: 'manageable' },
  inspecting: {},
  'inspect wait': { abort: 'inspect failed' },
  'inspect failed': { inspect: 'inspecting', manage: 'manageable' },
  adopting: {},
  'adopt failed': { adopt: 'adopting', manage: 'manageable' },
  rescuing: {},
  'rescue wait': { abort: 'rescue failed', deleted: 'deleting', undeploy: 'deleting' },
  rescue: { rescue: 'rescuing', unrescue: 'unrescuing', deleted: 'deleting', undeploy: 'deleting' },
  'rescue failed': { rescue: 'rescuing', unrescue: 'unrescuing', deleted: 'deleting', undeploy: 'deleting' },
  unrescuing: {},
  'unrescue failed': { rescue: 'rescuing', unrescue: 'unrescuing', deleted: 'deleting', undeploy: 'deleting' },
  servicing: {},
  'service wait': { abort: 'service failed', deleted: 'deleting', undeploy: 'deleting' },
  'service hold': { service: 'servicing', unhold: 'service wait', abort: 'service failed' },
  'service failed': {
    service: 'servicing',
    rescue: 'rescuing',
    deleted: 'deleting',
    undeploy: 'deleting',
    abort: 'active',
  },
}
const verbs: Verb[] = [
  'active',
  'deploy',
  'rebuild',
  'deleted',
  'undeploy',
  'manage',
  'provide',
  'inspect',
  'abort',
  'clean',
  'adopt',
  'rescue',
  'unrescue',
  'unhold',
  'service',
]
const wait = [{ interface: 'deploy' as const, step: 'wait', args: { seconds: 1 } }]
const needs: Partial<Record<Verb, Record<string, unknown>>> = {
  clean: { clean_steps: wait },
  service: { service_steps: wait },
  rescue: { rescue_password: 'let me in' },
}

let cloud: ControlPlane
let appliance: string
beforeAll(async () => {
  cloud = await openControlPlane()
  appliance = (await withSite(cloud)).appliance
})
afterAll(() => cloud[Symbol.asyncDispose]())

async function nodeIn(state: ProvisionState, more: Partial<Node> = {}): Promise<string> {
  const { uuid } = await cloud.client.nodes.create({ driver: 'fake-hardware' })
  const now = cloud.platform.clock.now()
  const operation: Operation = {
    plan: cloud.platform.ids.uuid(),
    kind: 'clean',
    generation: 1,
    appliance,
    ordinal: 3,
    phase: 'running',
    step: 0,
    steps: 1,
    names: ['plan.hold'],
    percent: null,
    note: null,
    since: now.toISOString(),
  }
  const busy = isTransient(state) || provision[state].kind === 'hold'
  await changeNode(cloud.platform, uuid, (node) => ({
    node: {
      ...node,
      generation: 1,
      provision_state: state,
      target_provision_state: busy ? 'manageable' : null,
      deadline: isTransient(state) ? new Date(now.getTime() + 1_000_000).toISOString() : null,
      operation: busy ? operation : null,
      ...more,
    },
  }))
  return uuid
}

async function raise(node: string, verb: Verb, more = needs[verb]): Promise<number> {
  try {
    await cloud.client.nodes.provision(node, verb, more)
    return 202
  } catch (error) {
    if (error instanceof ApiError) return error.status
    throw error
  }
}

const stateOf = async (node: string) => (await cloud.client.nodes.get(node)).provision_state

describe.each(Object.keys(cells) as ProvisionState[])('a node that is %s', (state) => {
  it.each(verbs)('answers %s as the state machine does', async (verb) => {
    const node = await nodeIn(state)
    const next = cells[state][verb]
    // Where something is being done right now, clients expect to come again.
    const refusal = provision[state].kind === 'working' ? 409 : 400
    expect(await raise(node, verb)).toBe(next ? 202 : refusal)
    expect(await stateOf(node)).toBe(next ?? state)
  })
})

it('knows every state and every verb', () => {
  expect(Object.keys(cells).toSorted()).toEqual(Object.keys(provision).toSorted())
  expect(verbs.toSorted()).toEqual(Object.keys(eventOf).toSorted())
})

describe('what stands in a verb’s way', () => {
  it.each([
    ['active', 'available', { maintenance: true }, 400],
    ['rebuild', 'active', { maintenance: true }, 400],
    ['rescue', 'active', { maintenance: true }, 400],
    ['unrescue', 'rescue', { maintenance: true }, 400],
    ['clean', 'manageable', { maintenance: true }, 400],
    ['service', 'active', { maintenance: true }, 400],
    ['deleted', 'active', { maintenance: true }, 202],
    ['manage', 'enroll', { maintenance: true }, 202],
    ['inspect', 'manageable', { maintenance: true }, 202],
    ['provide', 'manageable', { maintenance: true }, 202],
    ['rebuild', 'active', { protected: true }, 403],
    ['deleted', 'active', { protected: true }, 403],
    ['rescue', 'active', { protected: true }, 202],
    ['provide', 'manageable', { retired: true }, 400],
    ['clean', 'manageable', { retired: true }, 202],
    ['inspect', 'manageable', { inspect_interface: 'no-inspect' }, 400],
    ['rescue', 'active', { rescue_interface: 'no-rescue' }, 400],
  ] as const)('%s of a node that is %s with %j: %i', async (verb, state, more, status) => {
    expect(await raise(await nodeIn(state, more), verb)).toBe(status)
  })

  it('is never a delay of cleaning where the node is not to be cleaned', async () => {
    const node = await nodeIn('manageable', { automated_clean: false })
    expect(await raise(node, 'provide')).toBe(202)
    expect(await stateOf(node)).toBe('available')
  })
})

describe('steps that are asked for', () => {
  const bad: Array<[string, ProvisionState, Verb, Record<string, unknown>, RegExp]> = [
    ['none to clean', 'manageable', 'clean', {}, /"clean_steps" is required/],
    ['none to service', 'active', 'service', { service_steps: [] }, /"service_steps" is required/],
    ['of another verb', 'manageable', 'provide', { clean_steps: wait }, /only valid when .* clean/],
    ['unknown', 'manageable', 'clean', { clean_steps: [{ interface: 'raid', step: 'x' }] }, /raid.x is unknown/],
    ['not for people', 'manageable', 'clean', { clean_steps: [{ interface: 'deploy', step: 'deploy' }] }, /unknown/],
    ['of no interface', 'manageable', 'clean', { clean_steps: [{ interface: 'plan', step: 'hold' }] }, /interface/],
    [
      'with arguments where there are none',
      'manageable',
      'clean',
      { clean_steps: [{ interface: 'bios', step: 'factory_reset', args: { hard: true } }] },
      /factory_reset are wrong.*hard/s,
    ],
    [
      'with wrong arguments',
      'manageable',
      'clean',
      { clean_steps: [{ interface: 'bios', step: 'apply_configuration', args: { settings: [] } }] },
      /apply_configuration are wrong/,
    ],
    [
      'waiting too long',
      'manageable',
      'clean',
      { clean_steps: [{ interface: 'deploy', step: 'wait', args: { seconds: 86_400 } }] },
      /wait are wrong/,
    ],
    [
      'without priority',
      'available',
      'active',
      { deploy_steps: [{ interface: 'bios', step: 'factory_reset', args: {} }] },
      /priority/,
    ],
    ['as a blank password', 'active', 'rescue', { rescue_password: '  ' }, /non-empty/],
  ]
  it.each(bad)('are refused: %s', async (_, state, verb, more, why) => {
    const node = await nodeIn(state)
    await expect(cloud.client.nodes.provision(node, verb, more)).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(why),
    })
    expect(await stateOf(node)).toBe(state)
  })

  it('must not switch off a machine that has to stay on', async () => {
    const node = await nodeIn('manageable', { disable_power_off: true })
    const steps = { clean_steps: [{ interface: 'power', step: 'power_off' }] }
    await expect(cloud.client.nodes.provision(node, 'clean', steps)).rejects.toThrow(/must not be powered off/)
  })
})

async function post(path: string, body: unknown): Promise<void> {
  const reply = await cloud.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
    body: JSON.stringify(body),
  })
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
}
const keptFor = async (node: string, key: string) =>
  ((await cloud.client.nodes.get(node)).driver_internal_info[key] as Array<Record<string, unknown>>).map(
    ({ does, priority }) => [does, priority],
  )

it('merges deploy templates of the instance’s traits; what the request says comes before them', async () => {
  const steps = [
    { interface: 'bios', step: 'factory_reset', args: {}, priority: 150 },
    { interface: 'raid', step: 'delete_configuration', args: {}, priority: 140 },
  ]
  await post('/v1/deploy_templates', { name: 'CUSTOM_FRESH', steps })
  const traits = { traits: ['CUSTOM_FRESH'], instance_info: { traits: ['CUSTOM_FRESH'] } }
  const node = await nodeIn('available', traits)
  await cloud.client.nodes.provision(node, 'active', {
    deploy_steps: [{ interface: 'raid', step: 'delete_configuration', args: {}, priority: 30 }],
  })
  expect(await keptFor(node, 'deploy_steps')).toEqual([
    ['bios.factory_reset', 150],
    ['raid.delete_configuration', 30],
  ])
})

describe('limits of what runs at once', () => {
  const limited = async (options: Partial<ConductorOptions>, node: string, verb: Verb) => {
    const api = createApi(
      { ...cloud.platform, options: { ...cloud.platform.options, ...options } },
      { publicEndpoint: null, auth: { strategy: 'noauth' } },
    )
    const reply = await api.request(`/v1/nodes/${node}/states/provision`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115' },
      body: JSON.stringify({ target: verb }),
    })
    return reply.status
  }

  it.each([
    ['active', 'available', 'wait call-back', 'max_concurrent_deploy'],
    ['provide', 'manageable', 'clean wait', 'max_concurrent_clean'],
    ['deleted', 'active', 'clean wait', 'max_concurrent_clean'],
  ] as const)('%s is answered 503 beyond them, in all and on the site', async (verb, from, busy, inAll) => {
    const perSite = `${inAll}_per_site` as const
    await using lone = await openControlPlane()
    const [otherCloud, otherAppliance] = [cloud, appliance]
    cloud = lone
    try {
      appliance = (await withSite(lone)).appliance
      await lone.client.sites.create('munich')
      await nodeIn(busy)
      await nodeIn(busy, { conductor_group: 'munich' })
      const node = await nodeIn(from)
      expect(await limited({ [inAll]: 2 }, node, verb)).toBe(503)
      expect(await limited({ [perSite]: 1 }, node, verb)).toBe(503)
      expect(await limited({ [inAll]: 3, [perSite]: 2 }, node, verb)).toBe(202)
    } finally {
      cloud = otherCloud
      appliance = otherAppliance
    }
  })
})

describe('a runbook', () => {
  const steps = [
    { interface: 'deploy', step: 'wait', args: { seconds: 1 }, order: 2 },
    { interface: 'bios', step: 'factory_reset', args: {}, order: 1 },
  ]
  it('stands for its steps, on nodes that have one of its traits', async () => {
    await post('/v1/runbooks', { name: 'CUSTOM_BOOK', steps })
    const put = { method: 'PUT', headers: { 'x-openstack-ironic-api-version': '1.115' } }
    await cloud.request('/v1/runbooks/CUSTOM_BOOK/traits/CUSTOM_ROW', put)
    const other = await nodeIn('manageable')
    await expect(cloud.client.nodes.provision(other, 'clean', { runbook: 'CUSTOM_BOOK' })).rejects.toThrow(/CUSTOM_ROW/)
    const node = await nodeIn('manageable', { traits: ['CUSTOM_ROW'] })
    await cloud.client.nodes.provision(node, 'clean', { runbook: 'CUSTOM_BOOK' })
    expect(await keptFor(node, 'clean_steps')).toEqual([
      ['bios.factory_reset', 0],
      ['plan.wait', 0],
    ])
  })

  it('must exist, and come alone', async () => {
    const node = await nodeIn('manageable')
    const clean = (more: Record<string, unknown>) => cloud.client.nodes.provision(node, 'clean', more)
    await expect(clean({ runbook: 'CUSTOM_NONE' })).rejects.toMatchObject({ status: 404 })
    await expect(clean({ runbook: 'CUSTOM_BOOK', clean_steps: wait })).rejects.toThrow(/not both/)
  })
})

it('keeps a rescue password from all but the site', async () => {
  const node = await nodeIn('active')
  await cloud.client.nodes.provision(node, 'rescue', { rescue_password: 'let me in' })
  await cloud.settle()
  expect((await cloud.client.nodes.get(node)).instance_info).toMatchObject({ rescue_password: '******' })
  const stored = await cloud.platform.table.get({ pk: `node#${node}`, sk: 'node' })
  expect(JSON.stringify([stored, cloud.sent(appliance), cloud.logged])).not.toContain('let me in')
})

describe('abort needs a version that has it', () => {
  it.each([
    ['clean wait', '1.12', 406],
    ['clean wait', '1.13', 202],
    ['inspect wait', '1.40', 406],
    ['inspect wait', '1.41', 202],
    ['wait call-back', '1.109', 406],
    ['wait call-back', '1.110', 202],
  ] as const)('in %s at %s: %i', async (state, version, status) => {
    const reply = await cloud.request(`/v1/nodes/${await nodeIn(state)}/states/provision`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': version },
      body: JSON.stringify({ target: 'abort' }),
    })
    expect(reply.status).toBe(status)
  })
})
