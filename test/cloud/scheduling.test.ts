import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { healthLevels } from '../../contract/health.ts'
import type { Server } from '../../contract/compute.ts'
import { claimNode } from '../../lambdas/compute/claim.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { createNode } from '../../lambdas/store/change-node.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import type { Node } from '../../contract/resources.ts'
import { paperNode, paperServer } from './paper-nodes.ts'
import { PaperFleet } from './paper-fleet.ts'

/** Who gets which node, held to an oracle that looks at every node by rules of its own. */

let fleet: PaperFleet
beforeEach(() => {
  fleet = new PaperFleet()
})
afterEach(() => fleet[Symbol.dispose]())

const TRAITS = ['CUSTOM_A', 'CUSTOM_B', 'CUSTOM_C']
const SITES = ['berlin', 'paris']
const someNode = fc.record({
  resource_class: fc.constantFrom('metal', 'gold', null),
  conductor_group: fc.constantFrom(...SITES),
  traits: fc.uniqueArray(fc.constantFrom(...TRAITS)),
  health: fc.constantFrom(null, ...healthLevels),
  owner: fc.constantFrom(null, null, 'project', 'others'),
  maintenance: fc.boolean(),
  provision_state: fc.constantFrom('available' as const, 'available' as const, 'active' as const),
})
const someWish = fc.record({
  resourceClass: fc.constantFrom('CUSTOM_METAL', 'CUSTOM_GOLD', undefined),
  site: fc.constantFrom(null, ...SITES),
  required: fc.uniqueArray(fc.constantFrom(...TRAITS), { maxLength: 2 }),
  forbidden: fc.uniqueArray(fc.constantFrom(...TRAITS), { maxLength: 1 }),
})
type SomeWish = typeof someWish extends fc.Arbitrary<infer T> ? T : never

function serverOf(number: number, { resourceClass, site, required, forbidden }: SomeWish): Server {
  const server = paperServer(number, { availability_zone: site })
  const extra_specs = Object.fromEntries([
    ...(resourceClass === undefined ? [] : [[`resources:${resourceClass}`, '1']]),
    ...forbidden.map((each) => [`trait:${each}`, 'forbidden']),
    ...required.filter((each) => !forbidden.includes(each)).map((each) => [`trait:${each}`, 'required']),
  ])
  return { ...server, flavor: { ...server.flavor, extra_specs } }
}

/** What a machine is worth to others; undefined: it is of no use here. */
function oracle(node: Node, wish: SomeWish): number | undefined {
  const required = wish.required.filter((each) => !wish.forbidden.includes(each))
  const isGood =
    node.provision_state === 'available' &&
    !node.maintenance &&
    node.health !== 'Critical' &&
    (node.owner === null || node.owner === 'project') &&
    (wish.site === null || node.conductor_group === wish.site) &&
    (wish.resourceClass === undefined || `CUSTOM_${node.resource_class?.toUpperCase()}` === wish.resourceClass) &&
    required.every((each) => node.traits.includes(each)) &&
    !wish.forbidden.some((each) => node.traits.includes(each))
  return isGood ? (node.health === 'Warning' ? 100 : 0) + node.traits.length : undefined
}

it('a server gets a node that fits, and none that fits is better', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someNode, { maxLength: 30 }),
      fc.array(someWish, { minLength: 1, maxLength: 8 }),
      async (kinds, wishes) => {
        using fleet = new PaperFleet()
        const left = new Map(kinds.map((each, at) => [paperNode(at).uuid, paperNode(at, each)]))
        for (const site of SITES) await fleet.site(site)
        for (const node of left.values()) await createNode(fleet.platform, node)
        for (const [at, wish] of wishes.entries()) {
          const server = serverOf(at, wish)
          await serverStore.save(fleet.platform.table, undefined, server)
          const why = await claimNode(fleet.platform, server)
          const worth = [...left.values()].flatMap((node) => oracle(node, wish) ?? [])
          const { node } = (await serverStore.get(fleet.platform.table, server.uuid))!
          if (node === null) {
            expect([worth, why]).toEqual([[], expect.stringContaining('No valid host was found.')])
            expect(countsIn(why!)).toBe(kinds.length)
            continue
          }
          expect(oracle(left.get(node)!, wish)).toBe(Math.min(...worth))
          expect(await getNode(fleet.platform.table, node)).toMatchObject({ instance_uuid: server.uuid })
          left.set(node, { ...left.get(node)!, provision_state: 'active' })
        }
      },
    ),
    { numRuns: Number(process.env['BLOOMERY_SCHEDULING_RUNS'] ?? 40) }, // oxlint-disable-line node/no-process-env -- more for who has time
  )
})

/** Nodes that the sentence accounts for. */
function countsIn(why: string): number {
  const [, rest = ''] = /Of \d+ nodes: (.*)\.$/.exec(why) ?? []
  return [...rest.matchAll(/(\d+) not /g)].reduce((sum, [, count]) => sum + Number(count), 0)
}

describe('sixty servers that are asked for at once', () => {
  it('get the forty nodes there are, each another, and twenty are told why not', async () => {
    for (let at = 0; at < 40; at += 1) await createNode(fleet.platform, paperNode(at))
    await createNode(fleet.platform, paperNode(40, { resource_class: 'gold' }))
    const servers = Array.from({ length: 60 }, (_, at) => paperServer(at))
    for (const server of servers) await serverStore.save(fleet.platform.table, undefined, server)
    const whys = await Promise.all(servers.map((server) => claimNode(fleet.platform, server)))
    const claimed = await Promise.all(servers.map((each) => serverStore.get(fleet.platform.table, each.uuid)))
    const nodes = claimed.flatMap((each) => each?.node ?? [])
    expect([nodes.length, new Set(nodes).size]).toEqual([40, 40])
    const told = whys.filter((why) => why !== undefined)
    expect(told).toHaveLength(20)
    expect(told.at(-1)).toMatch(/^No valid host was found\. Of 41 nodes: /)
    expect(
      await claimNode(
        fleet.platform,
        claimed.find((each) => each?.node === null)!,
      ),
    ).toBe('No valid host was found. Of 41 nodes: 40 not available, 1 not of the resource class.')
  })
})
