import type { Report } from '../../contract/messages.ts'
import type { Appliance, Node, Operation } from '../../contract/resources.ts'
import { endPower, fail } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { addVolumeReport } from '../volume/reconcile.ts'

type Refused = Extract<Report, { kind: 'refused' }>

/** A site could do nothing with a command: the operation that it was for has failed. What was for none is said all the same. */
export async function addRefused(platform: Platform, appliance: Appliance, report: Refused): Promise<void> {
  const { node: uuid, command, text } = report
  const why = `Appliance ${appliance.name} ${text}.`
  if (command === 'volume')
    return addVolumeReport(platform, appliance, { ...report, kind: 'volume', phase: 'failed', note: why, exports: [] })
  await changeNode(platform, uuid, (node) => {
    const after = afterRefusal(node, report, appliance, why, platform.clock.now())
    return after && { node: after, conductor: appliance.name }
  })
  platform.log.error({ node: uuid, site: appliance.site, appliance: appliance.name, command, text }, 'command refused')
}

/** Pure. */
export function afterRefusal(
  node: Node,
  { generation }: Pick<Refused, 'generation'>,
  { uuid, site }: Pick<Appliance, 'uuid' | 'site'>,
  why: string,
  now: Date,
): Node | undefined {
  const isMeant = (operation: Operation | null): boolean =>
    operation?.appliance === uuid && operation.generation === generation
  if (isMeant(node.operation)) return fail(node, why, (node.operation?.ordinal ?? 0) > 0, now)
  if (isMeant(node.power_operation)) return endPower(node, why)
  const isOurs = node.keeper === uuid || node.conductor_group === site
  return isOurs && node.last_error !== why ? { ...node, last_error: why } : undefined
}
