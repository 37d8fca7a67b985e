import { UserError } from '../../contract/api/faults.ts'
import type { Network, Segment, Subnet } from '../../contract/network.ts'
import type { Table } from '../platform.ts'
import { getSite } from '../store/sites.ts'
import { segmentStore } from './store.ts'

/** How a network is carried at each site. A segment whose physical network has the name of a site is that site's; a network has one of its own
 * from the beginning, under its own UUID. */

export function ownSegment(network: Network): Segment {
  const { uuid, project_id, created_at, updated_at, version, segment } = network
  const { name = '', description = '', physical_network, vlan } = segment
  const stamps = { project_id, tags: [], created_at, updated_at, version }
  return { uuid, network_uuid: uuid, name, description, physical_network, vlan, ...stamps }
}

export async function segmentsOf(table: Table, network: Network): Promise<Segment[]> {
  const others = await Promise.all((network.segments ?? []).map((uuid) => segmentStore.get(table, uuid)))
  return [ownSegment(network), ...others.filter((segment) => segment !== undefined)]
}

/** What a card can reach at a site, by the physical network that it says it is on; null: it says none. */
export type Reach = (physical: string | null) => Segment | undefined

/** One that is on no site's own physical network is everywhere, unless there are several. */
export async function reachAt(table: Table, network: Network, site: string): Promise<Reach> {
  const segments = await segmentsOf(table, network)
  const [own] = segments
  const here = segments.find(({ physical_network: on }) => on === site)
  const isEverywhere = segments.length === 1 && own !== undefined && !(await getSite(table, own.physical_network))
  const usual = here ?? (isEverywhere ? own : undefined)
  return (physical) => (physical === null ? usual : segments.find(({ physical_network: on }) => on === physical))
}

/** The sites where a network is; null: nobody can tell before a card is looked at. */
export async function sitesOf(table: Table, network: Network): Promise<string[] | null> {
  const names = (await segmentsOf(table, network)).map(({ physical_network: on }) => on)
  const sites = await Promise.all(names.map(async (name) => (await getSite(table, name)) !== undefined))
  return sites.every(Boolean) ? names : null
}

/** Those of which a port there gets an address, one of each IP version. */
export function subnetsAt(subnets: readonly Subnet[], { uuid, physical_network: on }: Segment): Subnet[] {
  if (!isSegmented(subnets)) return [...subnets]
  const own = subnets.filter(({ segment_uuid: segment }) => segment === uuid)
  if (own.length > 0) return own
  throw new UserError(400, `Segment ${uuid}, on physical network ${on}, has no subnet to take an address from.`)
}

export const isSegmented = (subnets: readonly Subnet[]): boolean =>
  subnets.some(({ segment_uuid: segment }) => segment !== undefined)

export function absentAt({ uuid }: Pick<Network, 'uuid'>, where: string): UserError {
  return new UserError(400, `Network ${uuid} has no segment ${where}.`)
}
