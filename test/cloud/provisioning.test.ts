import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plan as planSchema, type Plan } from '../../contract/plan.ts'
import { open, type Sealed } from '../../contract/seal.ts'
import { alive, commandsTo, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

let cloud: ControlPlane
let site: PaperSite
let privateKey: string
const sha256 = 'a'.repeat(64)
const image = { image_source: 'http://images.test/i.raw', image_checksum: sha256 }

beforeEach(async () => {
  cloud = await openControlPlane()
  const joined = await withSite(cloud)
  site = new PaperSite(cloud, joined.appliance)
  privateKey = joined.key.privateKey
})
afterEach(() => cloud[Symbol.asyncDispose]())

async function newNode(more: Record<string, unknown> = {}): Promise<string> {
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'pa55' }
  const { uuid } = await cloud.client.nodes.create({ name: 'n1', driver: 'ipmi', driver_info, ...more })
  await cloud.client.ports.create({ node_uuid: uuid, address: '52:54:00:AA:00:01' })
  return uuid
}

async function provision(node: string, verb: Parameters<typeof cloud.client.nodes.provision>[1], more = {}) {
  await cloud.client.nodes.provision(node, verb, more)
  await cloud.settle()
}

async function available(): Promise<string> {
  const node = await newNode()
  await provision(node, 'manage')
  await site.carryOut(node)
  await provision(node, 'provide')
  await site.carryOut(node)
  return node
}

/** The plan among the blobs that a message points to. */
function plans(keys: string[]): Plan {
  const key = keys.find((each) => each.startsWith('plans/')) ?? ''
  return planSchema.parse(JSON.parse(Buffer.from(cloud.blobs.get(key) ?? []).toString()))
}

const states = async (node: string) => {
  const { provision_state, target_provision_state, last_error } = await cloud.client.nodes.get(node)
  return { provision_state, target_provision_state, last_error }
}

describe('a node', () => {
  it('goes from enroll over manageable and available to active, and back, by commands and reports alone', async () => {
    const node = await newNode({ instance_info: image })
    expect(await states(node)).toMatchObject({ provision_state: 'enroll' })
    await provision(node, 'manage')
    expect(await states(node)).toMatchObject({ provision_state: 'verifying', target_provision_state: 'manageable' })
    expect(site.plan(node).kind).toBe('verify')
    await site.carryOut(node, { power_state: 'power off' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'manageable',
      power_state: 'power off',
    })

    await provision(node, 'provide')
    const clean = site.plan(node)
    await site.report(clean, 'waiting', { step: 3, note: 'waiting for the agent' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'clean wait',
      target_provision_state: 'available',
      reservation: 'box-1',
      operation: { step: 3, steps: 7, note: 'waiting for the agent' },
    })
    await site.report(clean, 'waiting', { step: 4, percent: 50 })
    expect((await cloud.client.nodes.get(node)).clean_step).toMatchObject({
      interface: 'deploy',
      step: 'erase_devices_metadata',
      priority: 99,
    })
    await site.report(clean, 'running', { step: 5 })
    await site.report(clean, 'done', { step: 6, seconds: [1, 1, 1, 30, 5, 2, 1] })
    expect(await states(node)).toMatchObject({ provision_state: 'available', target_provision_state: null })

    await provision(node, 'active', { configdrive: { meta_data: { hostname: 'h' }, user_data: '#cloud-config' } })
    const deploy = site.plan(node)
    expect(deploy.kind).toBe('deploy')
    await site.carryOut(node)
    const active = await cloud.client.nodes.get(node)
    expect(active).toMatchObject({
      provision_state: 'active',
      power_state: 'power on',
      deploy_step: {},
      last_error: null,
    })
    expect(active.driver_internal_info).toMatchObject({ last_operation: { kind: 'deploy', phase: 'done' } })

    await provision(node, 'deleted')
    expect(site.plan(node).kind).toBe('tear_down')
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'cleaning', target_provision_state: 'available' })
    expect((await cloud.client.nodes.get(node)).instance_info).toEqual({})
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'available' })
    expect([...cloud.blobs.keys()].filter((key) => key.startsWith('config-drives/'))).toEqual([])

    const history = await cloud.client.nodes.history(node)
    expect(history.map(({ event }) => event)).toContain('Provision state: deploying to active.')
  })

  it('gets a plan with its secrets sealed to the site, its ports, and its config drive by URL', async () => {
    const node = await newNode({ instance_info: image })
    await provision(node, 'manage')
    await site.carryOut(node)
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/automated_clean', value: false }])
    await provision(node, 'provide')
    expect(await states(node)).toMatchObject({ provision_state: 'available' })
    await provision(node, 'active', { configdrive: { user_data: 'x' } })
    const { machine, steps } = site.plan(node)
    const password = machine.driver_info['ipmi_password'] as Sealed
    expect(open(password, `${node}/ipmi_password`, site.uuid, privateKey)).toBe('pa55')
    expect(JSON.stringify(cloud.sent(site.uuid))).not.toContain('pa55')
    expect(machine).toMatchObject({ boot_mode: 'uefi', cpu_arch: 'x86_64', ports: [{ address: '52:54:00:aa:00:01' }] })
    const write = steps.find(({ step }) => step === 'write_image')
    const drive = (write?.args['config_drive'] as { source: { key: string } } | undefined)?.source.key ?? ''
    const message = cloud.sent(site.uuid).at(-1)
    expect(message?.kind === 'commands' && message.urls[drive]).toMatch(/^https:/)
    const iso = gunzipSync(Buffer.from(Buffer.from(cloud.blobs.get(drive) ?? []).toString(), 'base64'))
    expect(iso.includes(node)).toBe(true)
    expect(iso.includes('"hostname":"n1"')).toBe(true)
  })

  it('fails with the words of the site, and can be cleaned up', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    await site.report(site.plan(node), 'failed', { step: 4, note: 'Image i: expected sha256 a, actual b.' })
    expect(await states(node)).toMatchObject({
      provision_state: 'deploy failed',
      last_error: 'Image i: expected sha256 a, actual b.',
    })
    await provision(node, 'deleted')
    expect(await states(node)).toMatchObject({ provision_state: 'deleting', last_error: null })
  })

  it('returns to enroll when its BMC refuses the password', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.report(site.plan(node), 'failed', { note: 'BMC 192.0.2.1: incorrect password.' })
    expect(await states(node)).toEqual({
      provision_state: 'enroll',
      target_provision_state: null,
      last_error: 'BMC 192.0.2.1: incorrect password.',
    })
  })

  it('is put under maintenance when a cleaning that had begun fails', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    await provision(node, 'provide')
    await site.report(site.plan(node), 'failed', { step: 4, note: 'disk' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'clean failed',
      maintenance: true,
      fault: 'clean failure',
    })
  })

  it('comes to rest as manageable when it is retired', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    await site.carryOut(node)
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/retired', value: true }])
    await provision(node, 'deleted')
    await site.carryOut(node)
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'manageable' })
    await expect(provision(node, 'provide')).rejects.toMatchObject({ status: 400 })
  })

  it('can be cleaned by hand with named steps', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    await expect(provision(node, 'clean')).rejects.toMatchObject({ status: 400 })
    await expect(provision(node, 'clean', { clean_steps: [{ interface: 'raid', step: 'x' }] })).rejects.toThrow(
      /unknown/,
    )
    await provision(node, 'clean', { clean_steps: [{ interface: 'deploy', step: 'erase_devices_metadata' }] })
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'manageable' })
  })

  it('fails at once, saying why, where its site has no appliance', async () => {
    await cloud.client.sites.create('empty')
    const info = { ipmi_address: '192.0.2.9' }
    const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', conductor_group: 'empty', driver_info: info })
    await provision(uuid, 'manage')
    expect(await states(uuid)).toMatchObject({
      provision_state: 'enroll',
      last_error: expect.stringMatching(/enrol one/),
    })
  })
})

describe('verbs', () => {
  it('are refused with 409 while an operation runs, with 400 where the state has no such arrow', async () => {
    const node = await newNode()
    await expect(provision(node, 'provide')).rejects.toMatchObject({ status: 400 })
    await provision(node, 'manage')
    await expect(provision(node, 'provide')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/locked by host box-1, please retry/),
    })
    await expect(cloud.client.nodes.power(node, 'power on')).rejects.toMatchObject({ status: 409 })
  })

  it('are refused with 400 when what they need is missing', async () => {
    const node = await available()
    await expect(provision(node, 'active')).rejects.toThrow(/image_source/)
    const patch = (value: unknown) => cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value }])
    await patch({ image_source: 'http://x.test/i' })
    await expect(provision(node, 'active')).rejects.toThrow(/image_checksum/)
    await patch({ ...image, traits: ['CUSTOM_GPU'] })
    await expect(provision(node, 'active')).rejects.toThrow(/CUSTOM_GPU/)
    await patch({ ...image, image_source: 'nowhere' })
    await expect(provision(node, 'active')).rejects.toThrow(/could not be found/)
    await patch(image)
    await cloud.client.nodes.maintenance(node, 'broken')
    await expect(provision(node, 'active')).rejects.toThrow(/maintenance/)
    await cloud.client.nodes.clearMaintenance(node)
    await expect(provision(node, 'active', { configdrive: 'not base64!' })).rejects.toThrow(/configdrive/)
    await expect(provision(node, 'rescue')).rejects.toMatchObject({ status: 400 })
  })

  it('abort a wait, and tell the site to stop', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    const plan = site.plan(node)
    await site.report(plan, 'waiting', { step: 3 })
    await provision(node, 'abort')
    expect(await states(node)).toMatchObject({ provision_state: 'deploy failed' })
    expect(site.commands().at(-1)).toMatchObject({
      kind: 'cancel',
      node,
      generation: plan.generation,
      lane: 'provision',
    })
    await site.report(plan, 'done')
    expect(await states(node)).toMatchObject({ provision_state: 'deploy failed' })
  })
})

describe('power', () => {
  it('goes through its own lane and ends with what the site says', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    expect(site.plan(node)).toMatchObject({ lane: 'power', kind: 'power', steps: [{ args: { target: 'power on' } }] })
    expect(await cloud.client.nodes.get(node)).toMatchObject({ target_power_state: 'power on', reservation: 'box-1' })
    await expect(cloud.client.nodes.power(node, 'power off')).rejects.toMatchObject({ status: 409 })
    await site.report(site.plan(node), 'done', { power_state: 'power on' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      power_state: 'power on',
      target_power_state: null,
      reservation: null,
    })
  })

  it('has as much longer as a graceful change may take', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'soft power off', 900)
    await cloud.settle()
    cloud.pass(1400)
    await cloud.tick()
    expect((await cloud.client.nodes.get(node)).target_power_state).toBe('soft power off')
    cloud.pass(200)
    await cloud.tick()
    expect((await cloud.client.nodes.get(node)).target_power_state).toBeNull()
  })

  it('tells why it failed', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    await site.report(site.plan(node), 'failed', { note: 'BMC 192.0.2.1 did not answer within 60 s.' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      target_power_state: null,
      last_error: 'BMC 192.0.2.1 did not answer within 60 s.',
    })
  })

  it('sets the boot device', async () => {
    const node = await available()
    await cloud.client.nodes.setBootDevice(node, { boot_device: 'pxe', persistent: true })
    await cloud.settle()
    expect(site.plan(node)).toMatchObject({
      kind: 'boot_device',
      steps: [{ args: { device: 'pxe', persistent: true } }],
    })
    await site.carryOut(node)
    expect(await cloud.client.nodes.bootDevice(node)).toEqual({ boot_device: 'pxe', persistent: true })
    await expect(cloud.client.nodes.setBootDevice(node, { boot_device: 'floppy', persistent: false })).rejects.toThrow(
      /floppy/,
    )
  })
})

describe('deadlines', () => {
  it('fail an operation that says nothing any more, and stop it', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.report(site.plan(node), 'running', { note: 'asking the BMC' })
    cloud.pass(601)
    await alive(cloud, site.uuid, { commands_through: 1 })
    await cloud.tick()
    expect(await states(node)).toMatchObject({
      provision_state: 'enroll',
      last_error: expect.stringMatching(/not verified in time.*asking the BMC/),
    })
    expect(site.commands().at(-1)).toMatchObject({ kind: 'cancel', node })
  })

  it('are renewed by every report', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    for (let minute = 0; minute < 30; minute += 5) {
      cloud.pass(300)
      await site.report(site.plan(node), 'running')
      await cloud.tick()
    }
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
  })

  it('wait for a day when the site is cut off', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    cloud.pass(3600)
    await cloud.tick()
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
    cloud.pass(24 * 3600)
    await cloud.tick()
    expect(await states(node)).toMatchObject({ provision_state: 'enroll' })
  })

  it('end a power change that is not reported', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    cloud.pass(601)
    await cloud.tick()
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      target_power_state: null,
      last_error: expect.stringMatching(/power or boot device/),
    })
  })
})

describe('commands', () => {
  it('come again until they are acknowledged, and then no more', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    const first = commandsTo(cloud, site.uuid).length
    cloud.pass(31)
    await alive(cloud, site.uuid)
    await cloud.tick()
    expect(commandsTo(cloud, site.uuid)).toHaveLength(first + 1)
    await alive(cloud, site.uuid, { hello: true })
    expect(commandsTo(cloud, site.uuid)).toHaveLength(first + 2)
    await alive(cloud, site.uuid, { commands_through: 1 })
    cloud.pass(31)
    await alive(cloud, site.uuid, { commands_through: 1, hello: true, refresh: [1] })
    await cloud.tick()
    expect(commandsTo(cloud, site.uuid)).toHaveLength(first + 2)
  })

  it('with a plan too large for a message travel by reference, with URLs for all that it needs', async () => {
    const node = await available()
    const value = { ...image, note: 'x'.repeat(100_000) }
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value }])
    await provision(node, 'active', { configdrive: { user_data: 'x' } })
    const message = cloud.sent(site.uuid).findLast(({ kind }) => kind === 'commands') as {
      urls: Record<string, string>
    }
    expect(JSON.stringify(message).length).toBeLessThan(64 * 1024)
    const keys = Object.keys(message.urls)
    expect(keys.map((key) => key.slice(0, key.indexOf('/'))).sort()).toEqual(['config-drives', 'plans'])
    const plan = plans(keys)
    await site.carry(plan)
    expect(await states(node)).toMatchObject({ provision_state: 'active' })
    await cloud.settle()
    expect([...cloud.blobs.keys()].filter((key) => key.startsWith('plans/'))).toEqual([])
  })

  it('wait for an appliance that is away, and reach it when it says hello', async () => {
    const node = await newNode()
    cloud.pass(120)
    await provision(node, 'manage')
    const before = commandsTo(cloud, site.uuid).length
    cloud.pass(31)
    await cloud.tick()
    cloud.pass(31)
    await cloud.tick()
    expect(commandsTo(cloud, site.uuid)).toHaveLength(before)
    await alive(cloud, site.uuid, { hello: true })
    expect(commandsTo(cloud, site.uuid)).toHaveLength(before + 1)
  })

  it('tell the site to forget a node that was deleted', async () => {
    const node = await available()
    await cloud.client.nodes.delete('n1')
    await cloud.settle()
    expect(site.commands().at(-1)).toMatchObject({ kind: 'forget', node })
    expect(await cloud.client.ports.list()).toEqual([])
    await newNode()
  })
})

describe('reports', () => {
  it('are answered with the number through which none is missing', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    const plan = site.plan(node)
    const [one, two, three] = [1, 2, 3].map(() => site.progress(plan, 'running'))
    const received = () => cloud.sent(site.uuid).findLast(({ kind }) => kind === 'received')
    await site.send(three!)
    expect(received()).toMatchObject({ reports_through: 0 })
    await site.send(one!, two!)
    expect(received()).toMatchObject({ reports_through: 3 })
    await site.send(two!)
    expect(received()).toMatchObject({ reports_through: 3 })
  })

  it('of another appliance change nothing', async () => {
    const node = await newNode()
    const other = new PaperSite(cloud, (await withSite(cloud, 'paris', 'box-2')).appliance)
    await provision(node, 'manage')
    const plan = site.plan(node)
    await other.report(plan, 'done')
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
  })

  it('that are none are logged and dropped', async () => {
    await cloud.uplink(site.uuid, { v: 2 })
    await cloud.uplink('11111111-2222-4333-8444-555555555555', { v: 1 })
    expect(cloud.logged.filter(({ poison }) => poison)).toHaveLength(2)
  })

  it('of a power state that changed by itself are shown', async () => {
    const node = await available()
    const at = cloud.platform.clock.now().toISOString()
    const report = { id: node, seq: 999, at, kind: 'power', node, power_state: 'power on' }
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [report] })
    expect((await cloud.client.nodes.get(node)).power_state).toBe('power on')
  })
})
