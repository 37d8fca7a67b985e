import { isTransient, provision, type ProvisionState } from '../../../contract/provision.ts'
import type { HistoryEntry, Node } from '../../../contract/resources.ts'
import type { Play } from './play.ts'

/** What must hold of everything that ever happened, and of the end. Sentences about what doesn't. */
export function broken(play: Play): string[] {
  return [...play.world.bugs.map(bugText), ...ofEachChange(play), ...ofTheSite(play), ...ofTheEnd(play)]
}

function bugText(bug: unknown): string {
  return `a bug: ${bug instanceof Error ? (bug.stack ?? bug.message) : typeof bug === 'string' ? bug : JSON.stringify(bug)}`
}

function* ofEachChange({ world }: Play): Generator<string> {
  for (const { key, before, after } of world.table.feed) {
    if (key.sk === 'node' && after) yield* ofNode(before?.value as Node | undefined, after.value as Node)
    if (key.sk.startsWith('history#') && after) yield* ofHistory(after.value as HistoryEntry)
  }
}

function* ofNode(before: Node | undefined, after: Node): Generator<string> {
  const { provision_state: state, operation, deadline, last_error } = after
  const what = `${after.name}, version ${after.version}, ${state}`
  const { kind } = provision[state]
  if ((kind === 'stable' || kind === 'failed') && operation) yield `${what}: rests, but has an operation`
  if (isTransient(state) && deadline === null) yield `${what}: waits without a deadline`
  if (!before) return
  const from = before.provision_state
  if (after.version !== before.version + 1) yield `${what}: comes after version ${before.version}`
  if (!reachable(from, state)) yield `${what}: no arrows lead there from ${from}`
  if (after.generation < before.generation) yield `${what}: its generation went back`
  if (kind === 'failed' && from !== state && last_error === null) yield `${what}: failed without saying why`
  const isSame = before.operation && operation?.plan === before.operation.plan
  if (isSame && operation.ordinal < before.operation!.ordinal) yield `${what}: an older report was applied`
  if (after.instance_uuid !== null && before.instance_uuid !== null && after.instance_uuid !== before.instance_uuid)
    yield `${what}: went from one instance to another`
}

function* ofHistory({ about, event }: HistoryEntry): Generator<string> {
  if (about?.from && about.to && !reachable(about.from, about.to))
    yield `history tells of ${about.from} to ${about.to}: ${event}`
}

/** One write may take a node along several arrows: out of a wait and on, or over a cleaning that is not to be. */
const memo = new Map<string, boolean>()
function reachable(from: ProvisionState, to: ProvisionState, arrows = 4): boolean {
  const key = `${from} ${to} ${arrows}`
  const known = memo.get(key)
  if (known !== undefined) return known
  const next = Object.values(provision[from].on) as ProvisionState[]
  const is = from === to || (arrows > 0 && next.some((each) => reachable(each, to, arrows - 1)))
  memo.set(key, is)
  return is
}

/** The site obeyed only what is newer than all that it had obeyed, and nobody gave a plan twice. */
function* ofTheSite({ world }: Play): Generator<string> {
  if (world.site.lives > 1) return
  const plans = world.site.admitted
  if (new Set(plans.map(({ id }) => id)).size !== plans.length) yield 'the site admitted a plan twice'
  const generations = plans.map(({ node, lane, generation }) => `${node} ${lane} ${generation}`)
  const twice = generations.find((each, at) => generations.indexOf(each) !== at)
  if (twice) yield `two plans of one generation: ${twice}`
}

function* ofTheEnd(play: Play): Generator<string> {
  const nodes = play.world.nodes()
  const allocations = play.world.allocations()
  for (const node of nodes) {
    const what = `${node.name} in the end, ${node.provision_state}`
    const isHeld = provision[node.provision_state].kind === 'hold'
    if (isTransient(node.provision_state) && !node.maintenance) yield `${what}: still waits`
    if (!isTransient(node.provision_state) && node.deadline !== null) yield `${what}: still has a deadline`
    if (node.power_operation && !isTransient(node.provision_state)) yield `${what}: its power is still being changed`
    if (node.target_power_state !== null && !isHeld && !isTransient(node.provision_state))
      yield `${what}: still heads for ${node.target_power_state}`
    yield* ofWrites(play, node)
    const owner = allocations.filter((each) => each.node_uuid === node.uuid)
    if (owner.length > 1) yield `${what}: has ${owner.length} allocations`
    if (node.allocation_uuid !== null && owner[0]?.uuid !== node.allocation_uuid)
      yield `${what}: its allocation does not know of it`
    if (node.allocation_uuid === null && owner.length > 0) yield `${what}: does not know of its allocation`
  }
  for (const { uuid, state, node_uuid: node } of allocations) {
    if (state === 'allocating') yield `allocation ${uuid} in the end: still waits`
    if (state === 'active' && !nodes.some((each) => each.uuid === node && each.allocation_uuid === uuid))
      yield `allocation ${uuid} in the end: its node is not its own`
  }
}

/** Whoever was told that it is written finds it; what failed left nothing. */
function* ofWrites({ patched, perhaps, counted }: Play, node: Node): Generator<string> {
  const { count, seen = [], ...keys } = node.extra as { count: number; seen?: string[] }
  if (new Set(seen).size !== seen.length) yield `${node.name}: an inventory was judged twice`
  const [sure, maybe] = [patched.get(node.uuid)!, perhaps.get(node.uuid)!]
  for (const key of sure) if (!(key in keys)) yield `${node.name}: ${key} was written and is lost`
  for (const key of Object.keys(keys))
    if (!sure.has(key) && !maybe.has(key)) yield `${node.name}: ${key} was refused and is there`
  const wanted = counted.get(node.uuid) ?? 0
  if (count !== wanted) yield `${node.name}: was counted up ${wanted} times, and stands at ${count}`
}
