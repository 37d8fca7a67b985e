import { z } from 'zod'
import type { PlanKind } from '../../contract/plan.ts'
import { type StepName, stepNames } from '../../contract/step-arguments.ts'
import { jsonObject, type Node } from '../../contract/resources.ts'
import type { Asked } from './planners.ts'

/** The steps that the running operation was asked for with. Ironic keeps them in driver_internal_info, and so they are shown. */
export type SteppedKind = Extract<PlanKind, 'clean' | 'deploy' | 'service'>

const kept = z.array(
  z.object({
    interface: z.string(),
    step: z.string(),
    args: jsonObject,
    priority: z.number(),
    does: z.custom<StepName>((name) => stepNames.includes(name as StepName)),
    /** Not on the node itself, but on these of its children. */
    execute_on_child_nodes: z.boolean().optional(),
    limit_child_node_execution: z.array(z.string()).optional(),
  }),
)
/** `does`: what the step is at the site; of reserved names that is another one. */
export type KeptStep = z.infer<typeof kept>[number]

export function withAskedSteps(node: Node, kind: SteppedKind, steps: KeptStep[]): Node {
  return { ...node, driver_internal_info: { ...node.driver_internal_info, [`${kind}_steps`]: steps } }
}

export function askedSteps(node: Node, kind: SteppedKind): Asked[] {
  const found = kept.safeParse(node.driver_internal_info[`${kind}_steps`]).data ?? []
  return found.flatMap(asked)
}

export function asked(kept: KeptStep): Asked[] {
  const { does, args, priority, execute_on_child_nodes: onChildren, limit_child_node_execution: children } = kept
  const own = { interface: kept.interface, step: kept.step, args }
  if (!onChildren) return [{ name: does, args: does === 'plan.agent_step' ? own : args, priority }]
  const [kind, step] = does.split('.')
  return (children ?? []).map((node) => ({
    name: 'plan.on_node',
    args: { node, interface: kind, step, args },
    priority,
  }))
}
