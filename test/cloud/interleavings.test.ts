import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ApiError } from '../../contract/api/client.ts'
import type { Progress } from '../../contract/messages.ts'
import type { Plan } from '../../contract/plan.ts'
import { provision, type ProvisionState, verbsFrom } from '../../contract/provision.ts'
import type { Node, PowerTarget } from '../../contract/resources.ts'
import type { Change } from '../../lambdas/platform.ts'
import type { SqliteTable } from '../../standalone/table.ts'
import { alive, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

/** People, sites and time at once, in whatever order. */
type Event =
  | { kind: 'verb'; which: number; stray: boolean }
  | { kind: 'power'; target: PowerTarget }
  | { kind: 'patch' }
  | { kind: 'report'; phase: Progress['phase']; step: number }
  | { kind: 'late'; which: number }
  | { kind: 'pass'; seconds: number; alive: boolean }

const anyVerb = verbsFrom('active').concat('manage', 'provide', 'abort', 'unhold')
const phase = fc.constantFrom<Progress['phase']>(
  'accepted',
  'running',
  'waiting',
  'held',
  'done',
  'done',
  'failed',
  'refused',
)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('verb' as const), which: fc.nat(20), stray: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('power' as const),
      target: fc.constantFrom<PowerTarget>('power on', 'power off'),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Event>({ kind: 'patch' }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('report' as const), phase, step: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('late' as const), which: fc.nat(50) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      seconds: fc.constantFrom(20, 700, 2000, 90_000),
      alive: fc.boolean(),
    }),
  },
)
/** Each inner list happens at once. */
const story = fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 30 })

class Rack {
  readonly cloud: ControlPlane
  readonly site: PaperSite
  readonly node: string
  readonly changes: Array<{ before: Node | undefined; after: Node }> = []
  readonly patched = new Set<string>()
  readonly #sent: Progress[] = []
  #patches = 0

  constructor(cloud: ControlPlane, site: PaperSite, node: string) {
    this.cloud = cloud
    this.site = site
    this.node = node
  }

  async happen(what: Event): Promise<void> {
    try {
      await this.#happen(what)
    } catch (error) {
      // A refusal is an answer like another; anything that is not the caller's fault is a bug.
      if (!(error instanceof ApiError) || error.status >= 500) throw error
    }
  }

  async #happen(what: Event): Promise<void> {
    const { client } = this.cloud
    switch (what.kind) {
      case 'verb':
        return this.#ask(what)
      case 'power':
        return client.nodes.power(this.node, what.target)
      case 'patch': {
        this.#patches += 1
        const key = `k${this.#patches}`
        await client.nodes.patch(this.node, [{ op: 'add', path: `/extra/${key}`, value: true }])
        this.patched.add(key)
        return
      }
      case 'report': {
        const plan = this.#plan()
        if (!plan) return
        const report = this.site.progress(plan, what.phase, { step: what.step })
        this.#sent.push(report)
        return this.site.send(report)
      }
      case 'late': {
        const report = this.#sent[what.which % Math.max(this.#sent.length, 1)]
        return report && this.site.send({ ...report, seq: this.#sent.length * 1000 + what.which })
      }
      case 'pass':
        this.cloud.pass(what.seconds)
        if (what.alive) await alive(this.cloud, this.site.uuid)
        return this.cloud.tick()
    }
  }

  /** Mostly a verb that the node accepts, at times a stray one. */
  async #ask({ which, stray }: { which: number; stray: boolean }): Promise<void> {
    const { client } = this.cloud
    const { provision_state: state } = await client.nodes.get(this.node)
    const accepted = verbsFrom(state ?? 'available')
    const choice = stray || accepted.length === 0 ? anyVerb : accepted
    if (state === 'available')
      await client.nodes.patch(this.node, [{ op: 'add', path: '/instance_info', value: instance }])
    await client.nodes.provision(this.node, choice[which % choice.length] ?? 'manage')
  }

  #plan(): Plan | undefined {
    const runs = this.site.commands().filter(({ kind }) => kind === 'run')
    return runs.length > 0 ? this.site.plan(this.node) : undefined
  }
}

const instance = { image_source: 'http://images.test/i', image_checksum: 'a'.repeat(64) }

async function openRack(cloud: ControlPlane): Promise<Rack> {
  const { appliance } = await withSite(cloud)
  const driver_info = { ipmi_address: '192.0.2.1' }
  const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', driver_info, instance_info: instance })
  await cloud.client.ports.create({ node_uuid: uuid, address: '52:54:00:aa:00:01' })
  const rack = new Rack(cloud, new PaperSite(cloud, appliance), uuid)
  const watch = async (changes: Change[]): Promise<void> => {
    for (const { key, before, after } of changes)
      if (key.sk === 'node' && after)
        rack.changes.push({ before: before?.value as Node | undefined, after: after.value as Node })
  }
  ;(cloud.platform.table as SqliteTable).subscribe('watch', watch)
  return rack
}

async function makeAvailable({ cloud, site, node }: Rack): Promise<void> {
  for (const verb of ['manage', 'provide'] as const) {
    await cloud.client.nodes.provision(node, verb)
    await cloud.settle()
    await site.carryOut(node)
  }
}

/** One write may take a node along several arrows: out of a wait and on, or over a cleaning that is not to be. */
function reachable(from: ProvisionState, to: ProvisionState, arrows = 4): boolean {
  if (from === to) return true
  return (
    arrows > 0 && Object.values(provision[from].on).some((next) => reachable(next as ProvisionState, to, arrows - 1))
  )
}

function check({ changes, patched, cloud }: Rack, last: Node): void {
  for (const { before, after } of changes) {
    if (!before) continue
    expect(after.version).toBe(before.version + 1)
    expect(
      reachable(before.provision_state, after.provision_state),
      `${before.provision_state} to ${after.provision_state}`,
    ).toBe(true)
    expect(after.generation).toBeGreaterThanOrEqual(before.generation)
    const same = before.operation && after.operation?.plan === before.operation.plan
    if (same && before.operation) expect(after.operation?.ordinal).toBeGreaterThanOrEqual(before.operation.ordinal)
    const { kind } = provision[after.provision_state]
    if (kind === 'stable' || kind === 'failed') expect(after.operation).toBeNull()
    if (kind === 'working' || kind === 'waiting') expect(after.deadline).not.toBeNull()
    const entered = after.provision_state !== before.provision_state
    if (kind === 'failed' && entered) expect(after.last_error).not.toBeNull()
  }
  expect(Object.keys(last.extra).sort()).toEqual([...patched].sort())
  const applied = cloud.logged.filter(({ message, applied }) => message === 'progress' && applied)
  const reports = applied.map(
    ({ generation, lane, ordinal }) => `${String(generation)} ${String(lane)} ${String(ordinal)}`,
  )
  expect(new Set(reports).size).toBe(reports.length)
}

const reached = new Set<ProvisionState>()

it('whatever happens at once, no arrow is invented, no write lost, no report applied twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), story, async (begun, events) => {
      await using cloud = await openControlPlane()
      const rack = await openRack(cloud)
      if (begun) await makeAvailable(rack)
      for (const atOnce of events) {
        await Promise.all(atOnce.map((each) => rack.happen(each)))
        await cloud.settle()
      }
      const node = (await cloud.platform.table.get({ pk: `node#${rack.node}`, sk: 'node' }))?.value as Node
      check(rack, node)
      for (const { after } of rack.changes) reached.add(after.provision_state)
    }),
    { numRuns: 150 },
  )
  expect([...reached]).toEqual(expect.arrayContaining(['manageable', 'clean wait', 'available', 'deploying']))
}, 60_000)
