import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../contract/messages.ts'
import { open, isSealed } from '../../contract/seal.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import { alive, commandsTo, withSite } from './control-plane.ts'
import { available, cloud, newNode, provision, site, states } from './one-site.ts'
import { PaperSite } from './paper-site.ts'

/** Who looks after a node between its operations, and what the others hear. */

const kinds = (at: PaperSite): string[] => at.commands().map(({ kind }) => kind)
const of = <K extends Command['kind']>(at: PaperSite, kind: K) =>
  at.commands().filter((command): command is Extract<Command, { kind: K }> => command.kind === kind)
const keeper = async (node: string) => (await getNode(cloud.platform.table, node))?.keeper
const patch = async (node: string, path: string, value: unknown): Promise<void> => {
  await cloud.client.nodes.patch(node, [{ op: 'add', path, value }])
  await cloud.settle()
}

/** Another appliance, by which the first is overtaken: that one has been silent for two minutes. */
async function takenOver(): Promise<PaperSite> {
  cloud.pass(120)
  return new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
}

/** Secrets are sealed to those who were there: the second one has to be able to open them. */
async function sealedToBoth(node: string): Promise<void> {
  await patch(node, '/driver_info/ipmi_password', 'pa55')
}

describe('a node whose next plan another appliance gets', () => {
  it('is released by the former one, who hears of it when it is back', async () => {
    const node = await available()
    expect(await keeper(node)).toBe(site.uuid)
    const other = await takenOver()
    await sealedToBoth(node)
    await provision(node, 'manage')
    expect(kinds(other)).toEqual(['watch'])
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    expect(kinds(other)).toEqual(['watch', 'run'])
    expect(await keeper(node)).toBe(other.uuid)
    await alive(cloud, site.uuid, { hello: true })
    const released = of(site, 'release')
    expect(new Set(released.map(({ id }) => id)).size).toBe(1)
    expect(released[0]).toMatchObject({ node })
    expect(released[0]!.generation).toBeGreaterThan(of(site, 'run').at(-1)!.generation)
  })

  it('is not told of by the former one any more', async () => {
    const node = await available()
    const other = await takenOver()
    await sealedToBoth(node)
    const bmc = (from: PaperSite, seq: number, answers: boolean) =>
      cloud.uplink(from.uuid, {
        v: 1,
        kind: 'reports',
        reports: [
          {
            id: randomUUID(),
            seq,
            at: cloud.platform.clock.now().toISOString(),
            kind: 'bmc',
            node,
            answers,
            text: 'its BMC did not answer',
          },
        ],
      })
    await bmc(site, 999, false)
    expect((await cloud.client.nodes.get(node)).maintenance).toBe(false)
    await bmc(other, 1, false)
    expect(await cloud.client.nodes.get(node)).toMatchObject({ maintenance: true, fault: 'power failure' })
  })

  it('has its console opened by the one that takes over', async () => {
    const node = await newNode({ console_interface: 'ipmitool-socat' })
    await cloud.client.nodes.setConsole(node, { enabled: true })
    await cloud.settle()
    expect(kinds(site)).toEqual(['console'])
    const other = await takenOver()
    await sealedToBoth(node)
    expect(kinds(other)).toEqual(['watch', 'console'])
    expect(of(other, 'console')[0]).toMatchObject({ enabled: true, machine: { node } })
  })
})

describe('nodes whose keeper says nothing for ten minutes', () => {
  it('are looked after by another of the site who can, and the silent one hears of it when it is back', async () => {
    const other = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
    // By whoever gets it; its secrets are for both.
    const node = await newNode()
    await provision(node, 'manage')
    const [silent, lively] = kinds(site).length > 0 ? [site, other] : [other, site]
    await silent.carryOut(node)
    cloud.pass(500)
    await alive(cloud, lively.uuid)
    await cloud.tick()
    expect(kinds(lively)).toEqual([])
    cloud.pass(110)
    await alive(cloud, lively.uuid)
    await cloud.tick()
    expect(kinds(lively)).toEqual(['watch'])
    expect(await keeper(node)).toBe(lively.uuid)
    await cloud.tick()
    await alive(cloud, silent.uuid, { hello: true })
    expect(new Set(kinds(silent))).toEqual(new Set(['run', 'release']))
    cloud.pass(700)
    await alive(cloud, silent.uuid)
    await alive(cloud, lively.uuid)
    await cloud.tick()
    expect(new Set(of(lively, 'watch').map(({ id }) => id)).size).toBe(1)
    expect(await keeper(node)).toBe(lively.uuid)
  })

  it('stay where they are while nobody else is there, or an operation is under way; and are taken over later', async () => {
    const busy = await newNode({ name: 'busy' })
    await provision(busy, 'manage')
    const rests = await cloud.client.nodes.create({ driver: 'fake-hardware', name: 'rests' })
    await provision(rests.uuid, 'manage')
    await site.carryOut(rests.uuid)
    cloud.pass(700)
    await cloud.tick()
    const other = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
    await cloud.tick()
    expect(kinds(other)).toEqual([])
    cloud.pass(700)
    await alive(cloud, other.uuid)
    await cloud.tick()
    expect(of(other, 'watch').map(({ node }) => node)).toEqual([rests.uuid])
    expect(await keeper(busy)).toBe(site.uuid)
  })
})

describe('nodes whose keeper is deleted by force', () => {
  it('are looked after by another of its site at once, or as soon as there is one', async () => {
    const other = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
    const node = await newNode()
    await provision(node, 'manage')
    const [former, next] = kinds(site).length > 0 ? [site, other] : [other, site]
    await former.carryOut(node)
    const remove = (name: string) => cloud.client.conductors.delete(name, { force: true })
    await remove(former === site ? 'box-1' : 'box-2')
    await cloud.tick()
    expect(kinds(next)).toEqual(['watch'])
    expect(await keeper(node)).toBe(next.uuid)
    await remove(former === site ? 'box-2' : 'box-1')
    await cloud.tick()
    expect(await keeper(node)).toBe(next.uuid)
    const last = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-3')).appliance)
    cloud.pass(610)
    await alive(cloud, last.uuid)
    await cloud.tick()
    expect(await keeper(node)).toBe(last.uuid)
    cloud.pass(610)
    await cloud.tick()
    const departed = await cloud.platform.table.query({ pk: `departed#${former.uuid}`, limit: 1 })
    expect(departed.items).toEqual([])
  })
})

describe('what people change of a node', () => {
  it('reaches who looks after it without waiting for a plan: address, password, driver', async () => {
    const node = await available()
    await patch(node, '/driver_info/ipmi_address', '192.0.2.99')
    await patch(node, '/driver_info/ipmi_password', 'new')
    const [first, second] = of(site, 'watch')
    expect(first).toMatchObject({ node, machine: { driver_info: { ipmi_address: '192.0.2.99' } } })
    expect(second!.generation).toBeGreaterThan(first!.generation)
    expect(first!.generation).toBeGreaterThan(of(site, 'run').at(-1)!.generation)
    expect(isSealed(second!.machine.driver_info['ipmi_password'])).toBe(true)
    expect(JSON.stringify(site.commands())).not.toContain('"new"')
    await provision(node, 'manage')
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    expect(site.plan(node).generation).toBeGreaterThan(second!.generation)
  })

  it('is not told where it is nothing to a site, or no site knows the node', async () => {
    const node = await newNode()
    await patch(node, '/driver_info/ipmi_address', '192.0.2.99')
    expect(site.commands()).toEqual([])
    await provision(node, 'manage')
    await site.carryOut(node)
    const before = site.commands().length
    await patch(node, '/extra/rack', 'r7')
    await patch(node, '/description', 'a machine')
    expect(site.commands().length).toBe(before)
  })

  it('of a size that no message has room for is left to its next plan', async () => {
    const node = await available()
    await patch(node, '/properties/bulk', 'x'.repeat(60_000))
    expect(kinds(site)).not.toContain('watch')
    await patch(node, '/properties/bulk', 'y')
    expect(kinds(site).at(-1)).toBe('watch')
  })
})

describe('a node that goes to another site', () => {
  const paris = async () => new PaperSite(cloud, (await withSite(cloud, 'paris', 'box-9')).appliance)
  const move = (node: string, site: string) =>
    cloud.client.nodes
      .patch(node, [
        { op: 'add', path: '/conductor_group', value: site },
        { op: 'add', path: '/driver_info/ipmi_password', value: 'pa55' },
      ])
      .then(() => cloud.settle())

  it('is released by the former and looked after by the new one', async () => {
    const node = await available()
    const there = await paris()
    await move(node, 'paris')
    expect(kinds(site).at(-1)).toBe('release')
    expect(kinds(there)).toEqual(['watch'])
    expect(await keeper(node)).toBe(there.uuid)
  })

  it('in mid-operation is left to who carries it out until that is over', async () => {
    const node = await newNode()
    const there = await paris()
    await provision(node, 'manage')
    await move(node, 'paris')
    expect([kinds(site), kinds(there)]).toEqual([['run'], []])
    await site.carryOut(node)
    expect((await states(node)).provision_state).toBe('manageable')
    expect([kinds(site), kinds(there)]).toEqual([['run', 'release'], ['watch']])
  })

  it('that has no appliance yet is looked after by nobody', async () => {
    const node = await available()
    await cloud.client.sites.create('rome')
    await cloud.client.nodes.patch(node, [
      { op: 'remove', path: '/driver_info/ipmi_password' },
      { op: 'add', path: '/conductor_group', value: 'rome' },
    ])
    await cloud.settle()
    expect(kinds(site).at(-1)).toBe('release')
    expect(await keeper(node)).toBeNull()
  })
})

describe('a node that is deleted', () => {
  it('is forgotten by who looks after it, and nobody else hears of it', async () => {
    const other = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
    const node = await newNode()
    await provision(node, 'manage')
    const [own, stranger] = kinds(site).length > 0 ? [site, other] : [other, site]
    await own.carryOut(node)
    await cloud.client.nodes.delete(node)
    await cloud.settle()
    expect([kinds(own), kinds(stranger)]).toEqual([['run', 'forget'], []])
  })

  it('of which an older cloud did not note who knows it, is forgotten by the whole site', async () => {
    const other = new PaperSite(cloud, (await withSite(cloud, 'berlin', 'box-2')).appliance)
    const node = await newNode()
    await changeNode(cloud.platform, node, (before) => ({ node: { ...before, keeper: undefined, generation: 3 } }))
    await cloud.client.nodes.delete(node)
    await cloud.settle()
    expect([kinds(site), kinds(other)]).toEqual([['forget'], ['forget']])
  })
})

it('secrets of a node that is looked after can be opened by who looks after it', async () => {
  const { appliance, key } = await withSite(cloud, 'paris', 'box-9')
  const node = await newNode({ name: 'n9', conductor_group: 'paris' })
  await provision(node, 'manage')
  await patch(node, '/driver_info/ipmi_password', 'fresh')
  const watch = commandsTo(cloud, appliance).findLast(({ kind }) => kind === 'watch')
  const value = watch?.kind === 'watch' ? watch.machine.driver_info['ipmi_password'] : undefined
  expect(isSealed(value) && open(value, `${node}/ipmi_password`, appliance, key.privateKey)).toBe('fresh')
})
