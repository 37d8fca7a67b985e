import type { Aggregate, Server } from '../../contract/compute.ts'
import type { Network } from '../../contract/network.ts'
import { DEFAULT_PHYSICAL_NETWORK } from '../network/networks.ts'
import { segmentsOf, sitesOf } from '../network/segment-places.ts'
import { networkStore, portStore, subnetStore } from '../network/store.ts'
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
    sites: await sitesOfNics(table, server.nics),
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

/** Of the networks that only some sites have, and of the addresses that its ports have already. */
async function sitesOfNics(table: Table, nics: Server['nics']): Promise<string[] | null> {
  let common: string[] | null = null
  for (const { network: uuid, port: made } of nics) {
    const network = await networkStore.get(table, uuid)
    if (!network || (!network.segments && network.segment.physical_network === DEFAULT_PHYSICAL_NETWORK)) continue
    const sites = await sitesOf(table, network)
    if (sites === null) continue
    const own = await siteOfAddress(table, network, made)
    const here: string[] = own === undefined ? sites : sites.filter((site) => site === own)
    common = common === null ? here : common.filter((site) => here.includes(site))
  }
  return common
}

async function siteOfAddress(table: Table, network: Network, port: string): Promise<string | undefined> {
  const [ip] = (await portStore.get(table, port))?.fixed_ips ?? []
  const subnet = ip && (await subnetStore.get(table, ip.subnet_uuid))
  if (subnet?.segment_uuid === undefined) return undefined
  return (await segmentsOf(table, network)).find(({ uuid }) => uuid === subnet.segment_uuid)?.physical_network
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
