import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { healthLevels } from '../../contract/health.ts'
import type { Server } from '../../contract/compute.ts'
import { claimNode } from '../../lambdas/compute/claim.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { tendFreeNodes } from '../../lambdas/periodic/free-nodes.ts'
import { changeNode, createNode, deleteNode } from '../../lambdas/store/change-node.ts'
import { freeNodes, isFree, kindOf } from '../../lambdas/store/free-nodes.ts'
import { listFreeNodes } from '../../lambdas/store/list-free-nodes.ts'
import { dropZeros, readCounts } from '../../lambdas/store/node-counts.ts'
import { getNode, nodeItem } from '../../lambdas/store/nodes.ts'
import { valuesIn } from '../../lambdas/store/paging.ts'
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
            expect(worth).toEqual([])
            expect(why).toBe(sentence([...left.values()], wish))
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

/** Why there is none, by every node there is: each is dropped by the first rule that it breaks. */
function sentence(nodes: Node[], { resourceClass, site, required: wanted, forbidden }: SomeWish): string {
  if (nodes.length === 0) return 'No valid host was found. There is no node.'
  const required = wanted.filter((each) => !forbidden.includes(each))
  const rules: Array<[string, (node: Node) => boolean]> = [
    ['available', (node) => node.provision_state === 'available' && !node.maintenance],
    ["the project's to use", ({ owner }) => owner === null || owner === 'project'],
    ['at the site', (node) => site === null || node.conductor_group === site],
    [
      'of the resource class',
      (node) => resourceClass === undefined || `CUSTOM_${node.resource_class?.toUpperCase()}` === resourceClass,
    ],
    ['with the traits', ({ traits }) => required.every((each) => traits.includes(each))],
    ['without forbidden traits', ({ traits }) => !forbidden.some((each) => traits.includes(each))],
    ['in good health', ({ health }) => health !== 'Critical'],
  ]
  const broken = nodes.map((node) => rules.find(([, keeps]) => !keeps(node))?.[0])
  const counts = rules.map(([name]): [string, number] => [name, broken.filter((each) => each === name).length])
  const why = counts.flatMap(([name, count]) => (count === 0 ? [] : [`${count} not ${name}`])).join(', ')
  return `No valid host was found. Of ${nodes.length} nodes: ${why}.`
}

const someChange = fc.oneof(
  fc.record({ node: fc.nat(9), become: someNode }),
  fc.record({
    node: fc.nat(9),
    become: fc.record({ properties: fc.constantFrom({}, { rack: 'r1' }, { rack: 'r2' }) }),
  }),
  fc.record({ node: fc.nat(9), become: fc.constant(null) }),
)

/** What a reading of every node counts. */
async function counted(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for await (const node of valuesIn<Node>(fleet.table, { index: 'all', pk: 'nodes' })) {
    const name = `${node.conductor_group} ${kindOf(node)}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

async function counts(): Promise<Record<string, number>> {
  const found = [...(await readCounts(fleet.table, null))].flatMap(([site, of]) =>
    Object.entries(of).flatMap(([kind, nodes]): Array<[string, number]> =>
      nodes === 0 ? [] : [[`${site} ${kind}`, nodes]],
    ),
  )
  return Object.fromEntries(found)
}

async function listedFree(): Promise<string[]> {
  const found: string[] = []
  for (const [site, of] of await readCounts(fleet.table, null))
    for (const kind of Object.keys(of))
      for await (const { uuid } of freeNodes(fleet.table, site, kind, 'x')) found.push(uuid)
  return found.sort()
}

async function free(): Promise<string[]> {
  const found: string[] = []
  for await (const node of valuesIn<Node>(fleet.table, { index: 'all', pk: 'nodes' }))
    if (isFree(node)) found.push(node.uuid)
  return found.sort()
}

it('counts and lists after any history what a reading of every node finds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someChange, { maxLength: 60 }), async (changes) => {
      fleet = new PaperFleet()
      const { platform, table } = fleet
      for (const { node: at, become } of changes) {
        const node = await getNode(table, paperNode(at).uuid)
        if (become === null) await (node && deleteNode(platform, node))
        else if (node) await changeNode(platform, node.uuid, (before) => ({ node: { ...before, ...become } }))
        else await createNode(platform, paperNode(at, become))
      }
      expect(await counts()).toEqual(await counted())
      expect(await listedFree()).toEqual(await free())
      await dropZeros(table)
      expect(await counts()).toEqual(await counted())
      const zeros = [...(await readCounts(table, null)).values()]
        .flatMap((of) => Object.values(of))
        .filter((each) => each === 0)
      expect(zeros).toEqual([])
      fleet[Symbol.dispose]()
    }),
    { numRuns: 60 },
  )
  fleet = new PaperFleet()
})

describe('a table from before nodes were counted', () => {
  const [OLD, NODES] = [{ pk: 'free-nodes', sk: 'CUSTOM_METAL#00000#x' }, 2300]
  beforeEach(async () => {
    const old = { version: 1, value: paperNode(1) }
    await fleet.table.write([{ put: { ...OLD, ...old } }, { put: { pk: 'free-nodes#site-0', sk: OLD.sk, ...old } }])
    const nodes = Array.from({ length: NODES }, (_, at) => nodeItem(paperNode(at)))
    for (let at = 0; at < NODES; at += 100)
      await fleet.table.write(nodes.slice(at, at + 100).map((put) => ({ put, expect: 'absent' as const })))
  })

  it('is brought up to date some nodes at a time, whoever else changes them meanwhile, and then left alone', async () => {
    const { platform, table } = fleet
    expect(await listFreeNodes(platform)).toBe(false)
    const begun = await counted()
    expect(Object.values(await counts())).not.toEqual(Object.values(begun))
    await changeNode(platform, paperNode(0).uuid, (node) => ({ node: { ...node, maintenance: true } }))
    await changeNode(platform, paperNode(NODES - 1).uuid, (node) => ({ node: { ...node, maintenance: true } }))
    await Promise.all([tendFreeNodes(platform), tendFreeNodes(platform)])
    while (!(await listFreeNodes(platform)));
    expect(await counts()).toEqual(await counted())
    expect(await listedFree()).toEqual(await free())
    expect([await table.get(OLD), await table.get({ ...OLD, pk: 'free-nodes#site-0' })]).toEqual([undefined, undefined])
    const { version } = (await getNode(table, paperNode(7).uuid))!
    expect(await listFreeNodes(platform)).toBe(true)
    expect((await getNode(table, paperNode(7).uuid))!.version).toBe(version)
  })

  it('has nobody told that there is no host before all of it was looked at', async () => {
    const server = serverOf(0, { resourceClass: 'CUSTOM_GOLD', site: null, required: [], forbidden: [] })
    await serverStore.save(fleet.table, undefined, server)
    const told: Array<string | undefined> = []
    while (told.at(-1) === undefined) told.push(await claimNode(fleet.platform, server))
    expect(told.length).toBeGreaterThan(1)
    expect(told.at(-1)).toBe(`No valid host was found. Of ${NODES} nodes: ${NODES} not of the resource class.`)
  })
})

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
