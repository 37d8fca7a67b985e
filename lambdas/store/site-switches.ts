import type { SiteSwitch } from '../../contract/switch-doors.ts'
import type { Item, Key, Table } from '../platform.ts'
import { all } from './paging.ts'

/** Switches of a site that the cloud was told of; their keys are sealed to its appliances. */

const pkOf = (site: string): string => `site-switches#${site}`
const keyOf = (site: string, name: string): Key => ({ pk: pkOf(site), sk: name })

export const switchesOf = (table: Table, site: string): Promise<SiteSwitch[]> =>
  all<SiteSwitch>(table, { pk: pkOf(site) })

export const switchItem = (table: Table, site: string, name: string): Promise<Item | undefined> =>
  table.get(keyOf(site, name))

/** Conditional on what was read. */
export async function writeSwitch(
  table: Table,
  site: string,
  before: Item | undefined,
  after: SiteSwitch | undefined,
): Promise<void> {
  const expect = before?.version ?? 'absent'
  if (after) {
    const put = { ...keyOf(site, after.name), version: (before?.version ?? 0) + 1, value: after }
    await table.write([{ put, expect }])
  } else if (before) await table.write([{ delete: { pk: before.pk, sk: before.sk }, expect: before.version }])
}
