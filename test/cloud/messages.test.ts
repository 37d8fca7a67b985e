import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { plan as planSchema, type Plan } from '../../contract/plan.ts'
import { seal } from '../../contract/seal.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import { alive, commandsTo, withSite } from './control-plane.ts'
import { available, cloud, image, newNode, provision, site, states } from './one-site.ts'
import { PaperSite } from './paper-site.ts'

/** More than a plan takes in, also compressed. */
const bulky = randomBytes(30_000).toString('base64')

/** The plan among the blobs that a message points to. */
function plans(keys: string[]): Plan {
  const key = keys.find((each) => each.startsWith('plans/')) ?? ''
  return planSchema.parse(JSON.parse(Buffer.from(cloud.blobs.get(key) ?? []).toString()))
}

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
    await alive(cloud, site.uuid, { commands_through: 1, hello: true, refresh: ['images/none'] })
    await cloud.tick()
    expect(commandsTo(cloud, site.uuid)).toHaveLength(first + 2)
  })

  it('with a plan too large for a message travel by reference, with URLs for all that it needs', async () => {
    const node = await available()
    const value = { ...image, note: 'x'.repeat(100_000) }
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value }])
    await provision(node, 'active', { configdrive: { user_data: bulky } })
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

  it('are long acknowledged when a URL expires: a fresh one is had by those whom the blob concerns', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active', { configdrive: { user_data: bulky } })
    const drive = [...cloud.blobs.keys()].find((key) => key.startsWith('config-drives/'))!
    await alive(cloud, site.uuid, { commands_through: 99 })
    await alive(cloud, site.uuid, { commands_through: 99, refresh: [drive, 'images/none', 'secrets/1', drive] })
    const urls = cloud.sent(site.uuid).filter(({ kind }) => kind === 'urls')
    expect(urls).toEqual([{ v: 1, kind: 'urls', urls: { [drive]: expect.stringContaining('http') as string } }])
    const other = await withSite(cloud, 'paris', 'box-2')
    await alive(cloud, other.appliance, { refresh: [drive] })
    expect(cloud.sent(other.appliance).filter(({ kind }) => kind === 'urls')).toEqual([])
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

  it('of progress that came together are one write, and history tells of every state that was passed', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    await provision(node, 'provide')
    const plan = site.plan(node)
    const version = async () => (await getNode(cloud.platform.table, node))?.version
    const before = await version()
    const last = { step: plan.steps.length - 1 }
    const phases = ['accepted', 'waiting', 'running'] as const
    await site.send(...phases.map((phase) => site.progress(plan, phase)), site.progress(plan, 'done', last))
    expect(await states(node)).toMatchObject({ provision_state: 'available' })
    expect(await version()).toBe(before! + 1)
    const history = await cloud.client.nodes.history(node)
    expect(history.map(({ event }) => event).slice(-3)).toEqual([
      'Provision state: cleaning to clean wait.',
      'Provision state: clean wait to cleaning.',
      'Provision state: cleaning to available.',
    ])
  })

  it('of another appliance change nothing', async () => {
    const node = await newNode()
    const other = new PaperSite(cloud, (await withSite(cloud, 'paris', 'box-2')).appliance)
    await provision(node, 'manage')
    const plan = site.plan(node)
    await other.report(plan, 'done')
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
  })

  it('of a BMC’s new password count, though the end of their plan overtook them, and undo nothing that came after', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    const stored = async () => (await getNode(cloud.platform.table, node))?.driver_info['ipmi_password']
    const clean_steps = [{ interface: 'management', step: 'rotate_bmc_password', args: {} }]
    const rotate = async () => {
      await provision(node, 'clean', { clean_steps })
      const { id: plan, generation, machine } = site.plan(node)
      const to = machine.sealing_keys?.map(({ appliance, key }) => ({ appliance, key })) ?? []
      expect(to.map(({ appliance }) => appliance)).toEqual([site.uuid])
      const value = seal(`of ${generation}`, `${node}/ipmi_password`, to)
      const at = cloud.platform.clock.now().toISOString()
      return {
        id: plan,
        seq: 1000 + generation,
        at,
        kind: 'secret',
        node,
        generation,
        plan,
        key: 'ipmi_password',
        value,
      }
    }
    const tell = (...reports: unknown[]) => cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports })

    const late = await rotate()
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'manageable', last_error: null })
    await tell(late)
    expect(await stored()).toEqual(late.value)

    const last = await rotate()
    await tell(last, { ...late, seq: 2000 })
    await site.carryOut(node)
    expect(await stored()).toEqual(last.value)

    await cloud.client.nodes.patch(node, [{ op: 'replace', path: '/driver_info/ipmi_password', value: 'by hand' }])
    const byHand = await stored()
    await tell({ ...last, seq: 2001 })
    expect(await stored()).toEqual(byHand)
    const other = new PaperSite(cloud, (await withSite(cloud, 'paris', 'box-2')).appliance)
    const next = await rotate()
    await cloud.uplink(other.uuid, { v: 1, kind: 'reports', reports: [{ ...next, seq: 1 }] })
    expect(await stored()).toEqual(byHand)
  })

  it('that are none are logged and dropped', async () => {
    await cloud.uplink(site.uuid, { v: 2 })
    await cloud.uplink('11111111-2222-4333-8444-555555555555', { v: 1 })
    expect(cloud.logged.filter(({ poison }) => poison)).toHaveLength(2)
  })

  it('of which one can’t be read hold up none behind it', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    const strange = { ...site.progress(site.plan(node), 'running'), phase: 'of next year' }
    const done = site.progress(site.plan(node), 'done')
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [strange, done] })
    expect(await states(node)).toMatchObject({ provision_state: 'manageable' })
    expect(cloud.sent(site.uuid).at(-1)).toMatchObject({ kind: 'received', reports_through: 2 })
    expect(cloud.logged.filter(({ poison }) => poison)).toMatchObject([{ numbers: [1] }])
  })

  it('of a power state that changed by itself are shown', async () => {
    const node = await available()
    const at = cloud.platform.clock.now().toISOString()
    const report = { id: node, seq: 999, at, kind: 'power', node, power_state: 'power on' }
    await cloud.uplink(site.uuid, { v: 1, kind: 'reports', reports: [report] })
    expect((await cloud.client.nodes.get(node)).power_state).toBe('power on')
  })
})
