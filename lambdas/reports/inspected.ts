import { UserError } from '../../contract/api/faults.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance, Node, Port } from '../../contract/resources.ts'
import { readInventory } from '../inspection/found.ts'
import type { Finding, PortOfCard } from '../inspection/hooks/hook.ts'
import { inspectedData, inspectedNode, inspectedPorts, refusalOf } from '../inspection/hooks/table.ts'
import type { Platform } from '../platform.ts'
import { putInventory } from '../store/inventory.ts'
import { getNode } from '../store/nodes.ts'
import { PORTS_PER_NODE, portsOf, portStore } from '../store/ports.ts'
import { isAsked, isDone } from './asked.ts'
import { judge } from './judge.ts'

type Inventoried = Extract<Report, { kind: 'inventory' }>

/** What an inspection found goes through the operator's hooks: ports, the properties that schedulers read; then the rules are applied, and
 * all is kept (reference §3.11). False: nobody waits for it any more. */
export async function addInspected(platform: Platform, appliance: Appliance, report: Inventoried): Promise<boolean> {
  const { node: uuid, inventory, plugin_data = {}, at, plan } = report
  const awaits = (node: Node | undefined): node is Node => isAwaited(node, appliance, report)
  const node = await getNode(platform.table, uuid)
  if (!awaits(node)) return false
  const finding = findingOf(platform, node, { inventory, plugin_data })
  await inspect(platform, { node: uuid, inventory, plan, at, conductor: appliance.name }, finding, awaits)
  return true
}

/** Hooks about what a ramdisk reports mean nothing where the BMC was asked. */
const ofRamdisks: string[] = ['ramdisk-error', 'validate-interfaces']

export function findingOf(
  { options }: Pick<Platform, 'options'>,
  { inspect_interface: by }: Pick<Node, 'inspect_interface'>,
  { inventory, plugin_data }: Pick<Finding, 'plugin_data'> & { inventory: Record<string, unknown> },
): Finding {
  const all = options.inspection_hooks
  const inspection_hooks = by === 'agent' ? all : all.filter((name) => !ofRamdisks.includes(name))
  return { found: readInventory(inventory), plugin_data, options: { ...options, inspection_hooks } }
}

/** `plan`: what is judged once, however often it comes. */
export interface Inspection {
  node: string
  inventory: Record<string, unknown>
  plan: string
  at: string
  conductor: string
}

export async function inspect(
  platform: Platform,
  of: Inspection,
  finding: Finding,
  awaits: (node: Node | undefined) => node is Node,
): Promise<void> {
  const refused = refusalOf(finding)
  if (refused === undefined) await changePorts(platform, of.node, finding)
  const judged = { ...of, plugin_data: inspectedData(finding), refused }
  const plugin_data = await judge(platform, judged, awaits, (node) => inspectedNode(node, finding))
  const kept = { inventory: of.inventory, plugin_data: { ...plugin_data, inspected_at: of.at } }
  await putInventory(platform.table, of.node, kept)
}

/** For the first time: rules may count what they see. */
function isAwaited(node: Node | undefined, appliance: Appliance, report: Inventoried): node is Node {
  if (!node || !isAsked(node, appliance, report)) return false
  const isOpen = node.operation !== null || isDone(node, report.generation)
  return isOpen && node.driver_internal_info['inspected_by'] !== report.plan
}

/** A port that somebody changes meanwhile stays as they wrote it: the next inspection is another chance. */
async function changePorts(platform: Platform, node: string, finding: Finding): Promise<void> {
  const known = await portsOf(platform.table, node)
  const { add, keep, remove } = inspectedPorts(known, finding)
  for (const port of remove)
    await portStore.remove(platform.table, port).catch((error: unknown) => skipped(platform, node, port, error))
  for (const each of add.slice(0, Math.max(0, PORTS_PER_NODE - keep.length))) await addPort(platform, node, each)
  const updated_at = platform.clock.now().toISOString()
  for (const port of keep) {
    const before = known.find(({ uuid }) => uuid === port.uuid)
    if (before && JSON.stringify(before) !== JSON.stringify(port))
      await portStore.save(platform.table, before, { ...port, updated_at, version: port.version + 1 })
  }
}

async function addPort(platform: Platform, node: string, of: PortOfCard): Promise<void> {
  const port: Port = {
    ...of,
    uuid: platform.ids.uuid(),
    node_uuid: node,
    portgroup_uuid: null,
    name: null,
    description: null,
    extra: {},
    internal_info: {},
    is_smartnic: false,
    vendor: null,
    category: null,
    available_for_dynamic_portgroup: true,
    created_at: platform.clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  await portStore.save(platform.table, undefined, port).catch((error: unknown) => skipped(platform, node, of, error))
}

function skipped({ log }: Platform, node: string, { address }: Pick<Port, 'address'>, error: unknown): void {
  if (!(error instanceof UserError)) throw error
  log.warn({ node, address, why: error.message }, 'a port is not as the inspection would have it')
}
