import { UserError } from '../../contract/api/faults.ts'
import type { ProvisionEvent, ProvisionState } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { listNodes } from '../store/nodes.ts'

/** How many operations may run at once, in all and on each site (reference §2.6). Requests that come in the same instant may together
 * go beyond by as many: it is a brake, not a lock. */
interface Group {
  doing: string
  states: ProvisionState[]
  inAll: 'max_concurrent_deploy' | 'max_concurrent_clean'
}
const deploys: Group = {
  doing: 'deployments',
  states: ['deploying', 'wait call-back'],
  inAll: 'max_concurrent_deploy',
}
const cleans: Group = {
  doing: 'tear-downs and cleanings',
  states: ['deleting', 'cleaning', 'clean wait'],
  inAll: 'max_concurrent_clean',
}
const groups: Partial<Record<ProvisionEvent, Group>> = {
  deploy: deploys,
  rebuild: deploys,
  delete: cleans,
  clean: cleans,
  provide: cleans,
}

export async function requireRoom(
  platform: Pick<Platform, 'table' | 'options'>,
  node: Node,
  event: ProvisionEvent,
): Promise<void> {
  const group = groups[event]
  if (!group) return
  const site = node.conductor_group
  const refuse = (limit: number, where: string): never => {
    throw new UserError(503, `${limit} ${group.doing} are running ${where}, which is the limit; please retry later.`)
  }
  const [inAll, perSite] = [platform.options[group.inAll], platform.options[`${group.inAll}_per_site`]]
  if (inAll !== null && (await count(platform, group, inAll)) >= inAll) refuse(inAll, 'in all')
  if (perSite !== null && (await count(platform, group, perSite, site)) >= perSite) refuse(perSite, `on site ${site}`)
}

/** Up to `most`: more is not asked. */
async function count(
  { table }: Pick<Platform, 'table'>,
  { states }: Group,
  most: number,
  site?: string,
): Promise<number> {
  let found = 0
  for (const provision_state of states) {
    if (found >= most) break
    const keep = site === undefined ? undefined : (node: Node) => node.conductor_group === site
    found += (await listNodes(table, { provision_state }, { limit: most - found, keep })).values.length
  }
  return found
}
