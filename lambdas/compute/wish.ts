import type { Aggregate, Server } from '../../contract/compute.ts'
import type { Table } from '../platform.ts'
import { getSite } from '../store/sites.ts'
import { all } from '../store/paging.ts'
import { type Wish, wantedBy } from './schedule.ts'
import { AGGREGATES, groupStore } from './store.ts'

/** What a server wants of its node, with what is known by now of its group, and of aggregates where it asks for any. */
export async function wishOf(table: Table, server: Server): Promise<Wish> {
  const { flavor, availability_zone: zone, project_id: project, tried } = server
  const aggregates = wantedBy(flavor).ofAggregates.length > 0 ? await all<Aggregate>(table, AGGREGATES) : []
  const group = server.group ? await groupStore.get(table, server.group) : undefined
  return {
    flavor,
    zone: zone === null ? null : await zoneOf(table, zone),
    project,
    tried,
    group: group
      ? {
          policy: group.policy,
          scope: group.scope,
          most: group.most,
          places: group.members.flatMap(({ server: other, place }) =>
            place === null || other === server.uuid ? [] : [place],
          ),
        }
      : null,
    aggregates,
  }
}

/** The zones that aggregates make, beside the sites. */
export async function zonesOfAggregates(table: Table): Promise<Map<string, string[]>> {
  const zones = new Map<string, string[]>()
  for (const { metadata, hosts } of await all<Aggregate>(table, AGGREGATES)) {
    const name = metadata['availability_zone']
    if (name !== undefined) zones.set(name, [...(zones.get(name) ?? []), ...hosts])
  }
  return zones
}

export async function isZone(table: Table, name: string): Promise<boolean> {
  return (await getSite(table, name)) !== undefined || (await zonesOfAggregates(table)).has(name)
}

async function zoneOf(table: Table, name: string): Promise<NonNullable<Wish['zone']>> {
  if (await getSite(table, name)) return { site: name }
  return { hosts: (await zonesOfAggregates(table)).get(name) ?? [] }
}
