import { UserError } from '../../contract/api/faults.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { keeperOf } from '../conductor/choose.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf, isAlive } from '../store/appliances.ts'

/** The appliance that has a node in hand, for what doesn't wait for a site that is away. `what`: as a sentence begins. */
export async function applianceNow({ table, clock }: Platform, node: Node, what: string): Promise<Appliance> {
  const now = clock.now()
  const site = node.conductor_group
  if (site === '') throw new UserError(409, `Node ${named(node)} belongs to no site: set its conductor_group.`)
  const appliance = keeperOf(node, await appliancesOf(table, site), now)
  if (appliance === undefined) throw new UserError(409, `Site ${site} has no appliance: enrol one.`)
  if (isAlive(appliance, now)) return appliance
  throw new UserError(
    503,
    `Site ${site} is away: appliance ${appliance.name} was last heard of ${appliance.last_seen ?? 'never'}. ${what} is of what happens now: ask again when it is back.`,
  )
}

export const named = ({ name, uuid }: Pick<Node, 'name' | 'uuid'>): string => name ?? uuid
