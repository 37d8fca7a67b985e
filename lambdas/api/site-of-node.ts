import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { getSite, listSites } from '../store/sites.ts'
import type { SealingFor } from './secrets.ts'

/** The site that a conductor group names; where none is named and there is but one, that. */
export async function resolveSite({ table }: Pick<Platform, 'table'>, group: string): Promise<string> {
  if (group === '') {
    const { values } = await listSites(table, { limit: 2 })
    return values.length === 1 && values[0] ? values[0].name : ''
  }
  if (await getSite(table, group)) return group
  throw new UserError(
    400,
    `No valid host was found. Reason: No conductor service registered for conductor group "${group}": it is no site; create it first.`,
  )
}

export async function sealingFor({ table }: Pick<Platform, 'table'>, node: string, site: string): Promise<SealingFor> {
  return { node, site, appliances: site === '' ? [] : await appliancesOf(table, site) }
}
