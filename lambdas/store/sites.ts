import type { Site } from '../../contract/resources.ts'
import type { Item, Key, Table } from '../platform.ts'
import { list, type Listed } from './paging.ts'

export const siteKey = (name: string): Key => ({ pk: `site#${name}`, sk: 'site' })

export function siteItem(site: Site): Item {
  return {
    ...siteKey(site.name),
    version: site.version,
    value: site,
    by: { all: { pk: 'sites', sk: `${site.created_at}#${site.name}` } },
  }
}

export async function getSite(table: Table, name: string): Promise<Site | undefined> {
  return (await table.get(siteKey(name)))?.value as Site | undefined
}

export function listSites(table: Table, page: { limit: number; after?: Site }): Promise<Listed<Site>> {
  return list<Site>(table, { index: 'all', pk: 'sites', limit: page.limit, after: page.after && siteItem(page.after) })
}
