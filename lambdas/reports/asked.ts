import type { Appliance, Node } from '../../contract/resources.ts'

interface Found {
  plan: string
  generation: number
}

/** What a site found belongs to the plan that runs, or to the node's last one: reports overtake each other on their way through queues,
 * so that it may come when its plan is already known to be done. Pure. */
export function isAsked(node: Node, { uuid, site }: Pick<Appliance, 'uuid' | 'site'>, of: Found): boolean {
  const running = [node.operation, node.power_operation].find((operation) => operation?.plan === of.plan)
  if (running) return running.generation === of.generation && running.appliance === uuid
  return node.conductor_group === site && node.generation === of.generation && !isRunning(node)
}

/** Another plan of the same generation is at work: the former one was given up. */
function isRunning({ operation, power_operation, generation }: Node): boolean {
  return [operation, power_operation].some((each) => each?.generation === generation)
}

/** As it was done: one that was given up or failed has found nothing. */
export function isDone({ driver_internal_info: { last_operation } }: Node, generation: number): boolean {
  const last = last_operation as { generation?: unknown; phase?: unknown } | undefined
  return last?.generation === generation && last.phase === 'done'
}
