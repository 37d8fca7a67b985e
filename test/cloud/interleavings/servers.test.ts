import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { NetworkPort } from '../../../contract/network.ts'
import type { ServerTask } from '../../../contract/compute.ts'
import { removeNetwork } from '../../../lambdas/network/networks.ts'
import { removeSubnet } from '../../../lambdas/network/subnets.ts'
import { networkStore, subnetStore } from '../../../lambdas/network/store.ts'
import { deletePort } from '../../../lambdas/network/ports.ts'
import { wrongClaims } from './claims.ts'
import { type Fault, faults, ServerWorld } from './servers.ts'

/** Of the uses of the table, one in so many in `npm test`; SERVER_FAULTS=1 for each. */
const EVERY = Number(process.env['SERVER_FAULTS'] ?? 5)
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 40)

/** Two servers' lives from request to deletion, one with a trunk's port and a volume that it was given, with a fault at one use of the table by their steps. */
async function lives(fault?: Fault): Promise<ServerWorld> {
  const world = new ServerWorld()
  await world.open(2, 4)
  const given = await world.makeTrunk()
  const volume = await world.makeVolume()
  await world.rest()
  const asked = [await world.ask(), await world.ask(given, volume)]
  await world.rest(fault)
  expect(wrongClaims(world.world.items())).toEqual([])
  for (const each of asked) await world.delete(each)
  await world.rest(fault)
  return world
}

const building: ServerTask[] = ['scheduling', 'networking', 'attaching', 'spawning', 'deploying', 'deleting']

it('a step of a server that is refused, dropped, doubled or overtaken, at whichever use of the table, leaves nothing claimed', async () => {
  const untouched = await lives()
  expect([...untouched.reached()]).toEqual(expect.arrayContaining(building))
  const cleaned = untouched.world.table.feed.filter(({ after }) => (after?.value as NetworkPort | null)?.service)
  expect(cleaned.length).toBeGreaterThan(1)

  for (const [offset, kind] of faults.entries())
    for (let use = (offset * 5) % EVERY; use < untouched.uses; use += EVERY) {
      const found = await lives({ kind, use }).then(leftOvers, (error: unknown) => [error])
      expect({ kind, use, found }).toEqual({ kind, use, found: [] })
    }
}, 900_000)

/** After all are deleted: port and volume that one was given are free, and there is nothing else. */
function leftOvers({ world, ports, servers, volumes }: ServerWorld): unknown[] {
  const [others, [given, carried]] = [ports().filter(({ trunk }) => !trunk), trunkOf(ports())]
  const [kept, ...made] = volumes().toSorted((a, b) => a.created_at.localeCompare(b.created_at))
  const exported = [...world.site.volumes.values()].flatMap(({ wanted }) => wanted?.exports ?? [])
  return [
    ...wrongClaims(world.items()),
    ...world.bugs,
    ...servers(),
    ...others,
    ...made,
    ...exported,
    ...world.values<object>('target'),
    ...(kept?.status === 'available' && kept.attachments.length === 0 ? [] : [kept]),
    ...(given?.device_id === '' && given.bound === null ? [] : [given]),
    ...(carried?.bound === null ? [] : [carried]),
    ...world.nodes().filter(({ instance_uuid: of }) => of !== null),
  ]
}

/** Its parent, and what it carries. */
const trunkOf = (ports: NetworkPort[]): NetworkPort[] =>
  ports.filter(({ trunk }) => trunk).sort((a, b) => (a.trunk?.vlan ?? 0) - (b.trunk?.vlan ?? 0))

const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), given: fc.boolean(), stores: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('work' as const), which: fc.nat(5), fails: fc.boolean() }) },
  fc.record({ kind: fc.constantFrom('tick', 'remove network', 'remove subnet', 'remove ports', 'tear down') }),
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

async function happen(world: ServerWorld, each: Event): Promise<void> {
  const ground = world.world.process('api')
  const refusalIsFine = (): void => {}
  switch (each.kind) {
    case 'ask':
      await world.ask(
        each.given ? await world.makeTrunk() : undefined,
        each.stores ? await world.makeVolume() : undefined,
      )
      return
    case 'delete': {
      const all = world.servers()
      const one = all[each.which % Math.max(all.length, 1)]
      return one && world.delete(one.uuid).catch(refusalIsFine)
    }
    case 'deliver':
      return world.deliver(each.count)
    case 'work': {
      for (const message of world.world.down.splice(0)) world.world.site.receive(message)
      world.world.site.work(each.which, each.fails)
      world.world.send(false)
      return world.world.handle(0, false)
    }
    case 'tick':
      return world.world.tick()
    case 'remove network': {
      const network = await networkStore.get(ground.table, world.network)
      return network && removeNetwork(ground, network).catch(refusalIsFine)
    }
    case 'remove subnet': {
      const [subnet] = world.world.values<{ uuid: string }>('subnet')
      const found = subnet && (await subnetStore.get(ground.table, subnet.uuid))
      return found && removeSubnet(ground.table, found).catch(refusalIsFine)
    }
    case 'remove ports':
      for (const port of world.ports().filter(({ bound, device_id: of, trunk }) => !bound && of === '' && !trunk))
        await deletePort(ground, port).catch(refusalIsFine)
      return
    case 'tear down':
      for (const node of world.nodes)
        await world.world.request('PUT', `/v1/nodes/${node}/states/provision`, { target: 'deleted' })
  }
}

it(
  'whatever people, sites and processes do at once: what is had is had by one who knows of it, and a network goes with nothing on it',
  async () => {
    const story = fc.array(fc.array(event, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
    const property = fc.asyncProperty(fc.scheduler(), story, async (scheduler, events) => {
      const world = new ServerWorld()
      await world.open(2, 2)
      world.world.pause = (label) => scheduler.schedule(Promise.resolve(), label)
      for (const atOnce of events) await scheduler.waitFor(Promise.all(atOnce.map((each) => happen(world, each))))
      world.world.pause = () => Promise.resolve()
      await world.rest()
      expect([...wrongClaims(world.world.items()), ...world.world.bugs]).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS })
  },
  60_000 + RUNS * 2000,
)
