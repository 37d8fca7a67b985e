import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import type { InterfaceField } from '../../contract/hardware.ts'
import { type StepFacts, steps } from '../../contract/step-facts.ts'
import { stepArguments, type StepName, stepNames } from '../../contract/step-arguments.ts'
import { stepName } from '../../contract/plan.ts'
import { jsonObject, type Node } from '../../contract/resources.ts'
import type { KeptStep, SteppedKind } from './asked.ts'
import { needsRamdisk } from './planners.ts'
import type { Platform } from '../platform.ts'
import { deployTemplateStore } from '../store/deploy-templates.ts'

/** Steps that people name, judged by the catalogue before anything is started. */
export interface NamedStep {
  interface: string
  step: string
  args: Record<string, unknown>
  priority?: number
  order?: number
  execute_on_child_nodes?: boolean
  limit_child_node_execution?: string[]
}

/** The child nodes that steps are for, by uuid. */
export type Children = ReadonlyMap<string, Node>

export function targetsOf(
  { limit_child_node_execution: only }: Pick<NamedStep, 'limit_child_node_execution'>,
  all: Iterable<string>,
): string[] {
  return only?.length ? [...new Set(only)] : [...all]
}

/** Names that mean the same for every interface (reference §1.6.4). */
const reserved: Readonly<Record<string, { does: StepName; args?: Record<string, unknown> }>> = {
  power_on: { does: 'power.power_on', args: {} },
  power_off: { does: 'power.power_off', args: {} },
  reboot: { does: 'power.set_power_state', args: { target: 'rebooting', timeout: null } },
  hold: { does: 'plan.hold', args: {} },
  wait: { does: 'plan.wait' },
}

/** A step of the request comes before one of the same name from a template; templates are called like traits (reference §5.1). */
export async function stepsOfDeploy(
  platform: Pick<Platform, 'table' | 'options'>,
  node: Node,
  own: readonly NamedStep[],
): Promise<KeptStep[]> {
  const isOwn = (each: NamedStep): boolean => own.some((one) => stepName(one) === stepName(each))
  const templates = await Promise.all(traitsOf(node).map((trait) => deployTemplateStore.find(platform.table, trait)))
  const others = templates.flatMap((template) => template?.steps ?? []).filter((each) => !isOwn(each))
  const kept = [...others, ...own].map((each) => keep(node, 'deploy', each, platform.options))
  const inBand = kept.find((each) => each.priority > 0 && isInBand(node, each))
  if (inBand && withoutAgent.includes(node.deploy_interface ?? ''))
    throw new UserError(
      400,
      `Step ${stepName(inBand)} is the agent's, and deploy interface ${node.deploy_interface} has none.`,
    )
  return kept
}

const withoutAgent = ['ramdisk', 'anaconda']

/** Those of the instance. */
function traitsOf({ instance_info: { traits } }: Node): string[] {
  return Array.isArray(traits) ? traits.filter((each) => typeof each === 'string') : []
}

/** For manual cleaning and servicing; `children`: those that steps are for. */
export function stepsNamed(
  node: Node,
  kind: 'clean' | 'service',
  { steps, disable_ramdisk }: { steps: readonly NamedStep[]; disable_ramdisk: boolean },
  children: Children,
  options: ConductorOptions,
): KeptStep[] {
  const kept = steps.map((each) =>
    each.execute_on_child_nodes ? onChildren(kind, each, children, options) : keep(node, kind, each, options),
  )
  const inBand = kept.find((each) => !each.execute_on_child_nodes && isInBand(node, each))
  if (disable_ramdisk && inBand)
    throw new UserError(400, `Step ${stepName(inBand)} needs the ramdisk, which disable_ramdisk forbids.`)
  return kept
}

/** Each child has to know the step, and to be able to do it without an agent: only the parent boots one. */
function onChildren(kind: SteppedKind, named: NamedStep, children: Children, options: ConductorOptions): KeptStep {
  const targets = targetsOf(named, children.keys())
  const stranger = targets.find((uuid) => !children.has(uuid))
  if (targets.length === 0 || stranger !== undefined)
    throw new UserError(400, `Step ${stepName(named)} is for child nodes, of which there is no ${stranger ?? 'one'}.`)
  const [first, ...others] = targets.map((uuid) => keep(children.get(uuid)!, kind, named, options))
  const alone = targets.find((uuid) => isInBand(children.get(uuid)!, first!))
  if (alone !== undefined || first!.does.startsWith('plan.'))
    throw new UserError(400, `Step ${stepName(named)} can't be executed on child nodes: it isn't done by their BMC.`)
  const wrong = others.find(({ does }) => does !== first!.does)
  if (wrong) throw new UserError(400, `Step ${stepName(named)} is not the same for all child nodes.`)
  return { ...first!, execute_on_child_nodes: true, limit_child_node_execution: targets }
}

function isInBand(node: Node, { does }: KeptStep): boolean {
  const { deploy_interface: deploy, raid_interface: raid, disable_power_off } = node
  return needsRamdisk([{ name: does }], { interfaces: { deploy, raid }, disable_power_off })
}

function keep(node: Node, kind: SteppedKind, named: NamedStep, options: ConductorOptions): KeptStep {
  if (options[`disallow_${kind}_steps`].includes(stepName(named)))
    throw new UserError(400, `Step ${stepName(named)} is not allowed: the operator's options forbid it.`)
  const special = Object.hasOwn(reserved, named.step) ? reserved[named.step] : undefined
  const resets = named.step === 'reboot' && node.disable_power_off
  const does = resets ? 'power.reset' : (special?.does ?? known(node, kind, named))
  if (node.disable_power_off && does === 'power.power_off')
    throw new UserError(400, `Step ${stepName(named)}: node ${node.uuid} must not be powered off.`)
  if (special?.args && Object.keys(named.args).length > 0)
    throw new UserError(400, `Step ${stepName(named)} takes no arguments.`)
  const shape = does === 'plan.agent_step' ? jsonObject : stepArguments[does]
  const args = shape.safeParse(resets ? {} : (special?.args ?? named.args))
  if (!args.success)
    throw new UserError(400, `The arguments of step ${stepName(named)} are wrong: ${z.prettifyError(args.error)}`)
  return {
    interface: named.interface,
    step: named.step,
    args: args.data as Record<string, unknown>,
    priority: named.priority ?? 0,
    does,
  }
}

function known(node: Node, kind: SteppedKind, named: NamedStep): StepName {
  const offered = offeredTo(node, kind)
  const name = offered.find((each) => each === stepName(named))
  if (name) return name
  if (node.deploy_interface === 'custom-agent' && mayBeOfAgent(named)) return 'plan.agent_step'
  const all = [...offered, ...Object.keys(reserved)].join(', ')
  throw new UserError(400, `The ${kind} step ${stepName(named)} is unknown for node ${node.uuid}; there is: ${all}.`)
}

/** Whether a hardware manager of the ramdisk may have it: that is known once the agent runs. */
function mayBeOfAgent(named: NamedStep): boolean {
  return named.interface === 'deploy' || !stepNames.some((each) => each === stepName(named))
}

/** What this node's interfaces can be asked to do in such an operation. */
export function offeredTo(node: Node, kind: SteppedKind): StepName[] {
  const facts = Object.entries(steps) as [StepName, StepFacts][]
  return facts.flatMap(([name, { requestable, implementations, inBand }]) => {
    if (inBand && node.deploy_interface === 'noop') return []
    const implementation = node[`${name.split('.')[0]}_interface` as InterfaceField]
    const has = implementations === undefined || implementations.includes(implementation ?? '')
    return requestable.includes(kind) && has ? [name] : []
  })
}
