import { UserError } from '../../contract/api/faults.ts'
import { type Machine, MOST_RELATIVES, type Step, stepName } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { childrenOf, getNode } from '../store/nodes.ts'
import { portsOf } from '../store/ports.ts'
import { machineOf } from './machine.ts'
import { type Ground, step } from './ramdisk.ts'

/** Nodes that are parts of one another, such as a server and the DPUs in it. */
export interface Family {
  parent: Node | undefined
  children: Node[]
}

/** Those that the node's site can reach too: another site's BMCs are out of its reach. */
export async function familyOf({ table }: Pick<Platform, 'table'>, node: Node): Promise<Family> {
  const isNear = (each: Node | undefined): each is Node => each?.conductor_group === node.conductor_group
  const parent = node.parent_node === null ? undefined : await getNode(table, node.parent_node)
  const children = await Promise.all((await childrenOf(table, node.uuid)).map((uuid) => getNode(table, uuid)))
  return { parent: isNear(parent) ? parent : undefined, children: children.filter(isNear) }
}

/** Whether a child's power comes from its parent. */
export function isFedByParent({ driver_info: info }: Node): boolean {
  return info['has_dedicated_power_supply'] !== true && info['has_dedicated_power_supply'] !== 'true'
}

/** Power goes together (reference §3.2): before a parent is switched off, so are the children that it feeds; before such a child is
 * switched on, so is its parent. */
export function coupled(steps: Step[], node: Node, { parent, children }: Family): Step[] {
  const feeder = parent && isFedByParent(node) ? parent : undefined
  const fed = children.filter(isFedByParent)
  return steps.flatMap((each) => {
    const change = powerChange(each)
    if (change === 'on' && feeder) return [onNode(feeder, step('power.power_on', ANY)), each]
    if (change === 'off') return [...fed.map((child) => onNode(child, switchedOff(child, each))), each]
    return [each]
  })
}

function powerChange(of: Step): 'on' | 'off' | undefined {
  switch (stepName(of)) {
    case 'power.power_off':
      return 'off'
    case 'power.power_on':
    case 'power.reset':
    case 'deploy.boot_instance':
      return 'on'
    case 'power.set_power_state':
      return String(of.args['target']).endsWith('power off') ? 'off' : 'on'
    default:
      return undefined
  }
}

const ANY: Ground = { interfaces: {}, disable_power_off: false }

/** In the same manner as its parent. */
function switchedOff(child: Node, asParent: Step): Step {
  if (child.disable_power_off)
    throw new UserError(
      409,
      `Child node ${child.uuid} must not be powered off (disable_power_off), and has no dedicated power supply.`,
    )
  return asParent
}

function onNode({ uuid }: Node, { interface: kind, step: name, args, deadline_seconds }: Step): Step {
  const own = step('plan.on_node', ANY, { node: uuid, interface: kind, step: name, args })
  return { ...own, deadline_seconds }
}

const standing = new Set(['plan.on_node', 'plan.agent_step'])

/** A step that stands for another one is shown as that. */
export function shownName(of: Step): string {
  const { interface: kind, step: name } = of.args
  return standing.has(stepName(of)) ? `${String(kind)}.${String(name)}` : stepName(of)
}

/** Those whom steps name, as the site has to know them. */
export async function relativesIn(
  { table }: Pick<Platform, 'table'>,
  steps: Step[],
  { parent, children }: Family,
): Promise<Machine[] | undefined> {
  const named = new Set(steps.filter((each) => stepName(each) === 'plan.on_node').map(({ args }) => args['node']))
  if (named.size === 0) return undefined
  if (named.size > MOST_RELATIVES)
    throw new UserError(400, `Steps are about ${named.size} other nodes; a plan has room for ${MOST_RELATIVES}.`)
  return Promise.all(
    [...named].map(async (uuid) => {
      const found = [parent, ...children].find((each) => each?.uuid === uuid)
      if (!found) throw new UserError(400, `Node ${String(uuid)} is no longer a child of this node on its site.`)
      return machineOf(found, await portsOf(table, found.uuid))
    }),
  )
}
