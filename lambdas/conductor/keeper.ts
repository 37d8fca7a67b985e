import { UserError } from '../../contract/api/faults.ts'
import { interfaceKinds } from '../../contract/hardware.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import type { Platform, Write } from '../platform.ts'
import { appliancesOf, getAppliance } from '../store/appliances.ts'
import { changeNode } from '../store/change-node.ts'
import { enqueueAll, type Unnumbered } from '../store/commands.ts'
import { THE_CLOUD } from '../store/history.ts'
import { portsOf } from '../store/ports.ts'
import { inHand, keeperOf } from './choose.ts'
import { machineOf } from './machine.ts'
import { pendingLane } from './plan.ts'

/** Which appliance looks after a node between its operations (power, health, console), and what sites hear when that changes, or what it
 * has to know for it. All of it is written with the change of the node that makes it necessary. */

type Needs = Pick<Platform, 'table' | 'clock' | 'ids' | 'options'>
interface Told {
  node: Node
  writes: Write[]
}

const ACCEPT_SECONDS = 7 * 24 * 3600
const MOST_FORMER = 20
/** With what else is in the message, which has room for 64 KiB. */
const MOST_BYTES = 40 * 1024

/** Some appliance knows it. */
export function isHeld({ keeper, generation, console_enabled }: Node): boolean {
  return keeper === undefined ? generation > 0 || console_enabled : keeper !== null
}

/** Those that know it, as far as they are still there. */
export async function holdersOf(
  table: Platform['table'],
  node: Node,
  site = node.conductor_group,
): Promise<Appliance[]> {
  if (!isHeld(node)) return []
  if (node.keeper === undefined || node.keeper === null)
    return site === '' ? [] : (await appliancesOf(table, site)).slice(0, MOST_FORMER)
  const keeper = await getAppliance(table, node.keeper)
  return keeper ? [keeper] : []
}

/** `node`, as it shall be, is told to this appliance by these commands; whoever knew it before drops it. `before`: as it is stored. */
export async function tellKeeper(
  platform: Needs,
  before: Node,
  node: Node,
  appliance: Appliance,
  commands: Unnumbered[],
): Promise<Told> {
  const { table } = platform
  const isOther = before.keeper !== appliance.uuid
  const console = isOther && node.console_enabled && !commands.some(({ kind }) => kind === 'console')
  const more = console ? [await consoleCommand(platform, node)] : []
  return {
    node: { ...node, keeper: appliance.uuid },
    writes: [
      ...(await enqueueAll(table, appliance.uuid, [...commands, ...more])),
      ...(await releases(platform, before, node, appliance.uuid)),
    ],
  }
}

async function releases(platform: Needs, before: Node, after: Node, except?: string): Promise<Write[]> {
  const formers = await holdersOf(platform.table, before)
  const command: Unnumbered = { ...commandBase(platform, after), kind: 'release' }
  const writes = formers
    .filter(({ uuid }) => uuid !== except)
    .map(({ uuid }) => enqueueAll(platform.table, uuid, [command]))
  return (await Promise.all(writes)).flat()
}

/** What sites have to hear of a change that is none of an operation: of driver, BMC or site. */
export async function toldOfChange(platform: Needs, before: Node, after: Node): Promise<Told> {
  const moved = before.conductor_group !== after.conductor_group
  if (!isHeld(before) || (!moved && facts(before) === facts(after))) return { node: after, writes: [] }
  // Who is at work on it goes on; `settleKeeper` sees to the rest when that is over.
  if (moved && inHand(after)) return { node: after, writes: [] }
  return placed(platform, before, after)
}

async function placed(platform: Needs, before: Node, after: Node): Promise<Told> {
  const site = after.conductor_group === '' ? [] : await appliancesOf(platform.table, after.conductor_group)
  // Facts have generations as plans have: of two messages on their way the newer one counts.
  const node = { ...after, generation: after.generation + 1 }
  const appliance = keeperOf(node, site, platform.clock.now())
  if (!appliance) return { node: { ...node, keeper: null }, writes: await releases(platform, before, node) }
  const machine = await smallMachine(platform, node)
  if (!machine) return { node: after, writes: [] }
  return tellKeeper(platform, before, node, appliance, [{ ...commandBase(platform, node), kind: 'watch', machine }])
}

/** What an appliance goes by between operations. */
function facts({ driver, driver_info, properties, disable_power_off, ...node }: Node): string {
  const interfaces = interfaceKinds.map((kind) => node[`${kind}_interface`])
  return JSON.stringify([driver, driver_info, properties, disable_power_off, interfaces])
}

/** Undefined: it can't be told; its next plan says why, or travels by another way. */
async function smallMachine(
  { table, options }: Pick<Platform, 'table' | 'options'>,
  node: Node,
): Promise<Machine | undefined> {
  try {
    const machine = machineOf(node, await portsOf(table, node.uuid), options)
    const { network_data: _, ...rest } = machine
    return [machine, { ...rest, instance_info: {} }].find(
      (each) => Buffer.byteLength(JSON.stringify(each)) <= MOST_BYTES,
    )
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** Has the node's console open and recorded at the site from now on. */
export async function consoleCommand(platform: Needs, node: Node): Promise<Unnumbered> {
  const machine = await smallMachine(platform, node)
  return { ...commandBase(platform, node), kind: 'console', enabled: true, ...(machine && { machine }) }
}

export function commandBase({ clock, ids }: Pick<Platform, 'clock' | 'ids'>, node: Node) {
  const now = clock.now()
  return {
    id: ids.uuid(),
    node: node.uuid,
    generation: Math.max(1, node.generation),
    issued_at: now.toISOString(),
    deadline: new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString(),
  }
}

/** Its keeper has been silent for long: another one that is alive, and can, takes over. False: there is none. */
export async function relieveKeeper(platform: Platform, { uuid, keeper }: Node, ofSite: Appliance[]): Promise<boolean> {
  const after = await changeNode(platform, uuid, async (node) => {
    if (node.keeper !== keeper || !isHeld(node) || inHand(node) || pendingLane(node)) return undefined
    const next = keeperOf(node, ofSite, platform.clock.now())
    if (!next || next.uuid === keeper || next.site !== node.conductor_group) return undefined
    return { ...(await placed(platform, node, node)), conductor: THE_CLOUD }
  })
  return after !== undefined && after.keeper !== keeper
}

/** An operation has ended: where the node went to another site meanwhile, or its keeper is no more, another one takes over. */
export async function settleKeeper(platform: Platform, { uuid, keeper }: Node): Promise<void> {
  const site = keeper ? (await getAppliance(platform.table, keeper))?.site : undefined
  const isAstray = (node: Node): boolean =>
    keeper !== undefined && node.keeper === keeper && isHeld(node) && node.conductor_group !== site
  await changeNode(platform, uuid, async (node) => {
    if (!isAstray(node) || inHand(node) || pendingLane(node)) return undefined
    return { ...(await placed(platform, node, node)), conductor: THE_CLOUD }
  })
}
