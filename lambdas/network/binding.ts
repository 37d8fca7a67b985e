import { UserError } from '../../contract/api/faults.ts'
import type { Network, NetworkPort, Segment } from '../../contract/network.ts'
import type { Portgroup } from '../../contract/portgroup.ts'
import type { Node, Port } from '../../contract/resources.ts'
import type { Platform, Write } from '../platform.ts'
import { portgroupsOf, portgroupStore } from '../store/portgroups.ts'
import { portsOf, portStore as cardStore } from '../store/ports.ts'
import { absentAt, type Reach, reachAt, subnetsAt } from './segment-places.ts'
import { networkStore, portStore, subnetsOf } from './store.ts'
import { oneOfEach, takePort, type Wanted } from './take-port.ts'
import { requireUntrunked, subPortsBound } from './trunk-ports.ts'

/** What of a node a tenant's port (Ironic's VIF) can be bound to: a card, or a bond of several. */
export interface Place {
  card?: Port
  group?: Portgroup
  address: string
  physical_network: string | null
  pxe: boolean
  vif: string | undefined
}

const KEY = 'tenant_vif_port_id'
export const vifOf = ({ internal_info: info }: Port | Portgroup): string | undefined => info[KEY] as string | undefined

/** A group is offered for its cards, unless it is empty or has no address; one of which a card is taken by itself, only with the others'. */
export function placesAmong(cards: readonly Port[], groups: readonly Portgroup[]): Place[] {
  const bonded = groups.filter((group) => {
    const members = cards.filter(({ portgroup_uuid: of }) => of === group.uuid)
    return group.address !== null && members.length > 0 && members.every((card) => vifOf(card) === undefined)
  })
  const single = cards.filter((card) => !bonded.some(({ uuid }) => uuid === card.portgroup_uuid))
  return [
    ...bonded.map((group) => ({
      group,
      address: group.address ?? '',
      physical_network: group.physical_network,
      pxe: cards.some((card) => card.portgroup_uuid === group.uuid && card.pxe_enabled),
      vif: vifOf(group),
    })),
    ...single.map((card) => ({
      card,
      address: card.address,
      physical_network: card.physical_network,
      pxe: card.pxe_enabled,
      vif: vifOf(card),
    })),
  ]
}

export async function placesOf(table: Platform['table'], node: string): Promise<Place[]> {
  return placesAmong(await portsOf(table, node), await portgroupsOf(table, node))
}

/** A free one on the network's wires, before one that doesn't say on which it is; then bonds, then what boots by PXE (reference §5.6). */
export function choosePlace(
  places: readonly Place[],
  network: Pick<Network, 'uuid'>,
  reach: Reach,
  site: string,
): { place: Place; segment: Segment } {
  const reached = places.flatMap((place) => {
    const segment = reach(place.physical_network)
    return segment ? [{ place, segment }] : []
  })
  const free = reached.filter(({ place }) => place.vif === undefined)
  const order = ({ place: { physical_network: on, group, pxe } }: (typeof free)[number]): number =>
    (on === null ? 4 : 0) + (group ? 0 : 2) + (pxe ? 0 : 1)
  const [best] = free.toSorted((a, b) => order(a) - order(b) || (a.place.address < b.place.address ? -1 : 1))
  if (best) return best
  const on = [...new Set(places.map((place) => place.physical_network ?? site))].join(', ')
  if (places.length > 0 && reached.length === 0) throw absentAt(network, `at site ${site} (on physical network ${on})`)
  throw new UserError(
    400,
    `The node has no free card on network ${network.uuid}: it has ${places.length}, of which ${places.length - free.length} are taken or elsewhere.`,
  )
}

/** A place of these for a port, and the segment that it is on there. */
export async function placeFor(
  table: Platform['table'],
  node: Pick<Node, 'conductor_group'>,
  places: readonly Place[],
  network: Network,
): Promise<{ place: Place; segment: Segment }> {
  const site = node.conductor_group
  return choosePlace(places, network, await reachAt(table, network, site), site)
}

/** Port and card in one transaction. */
export async function bindPort(
  platform: Platform,
  port: NetworkPort,
  { place, segment }: { place: Place; segment: Segment },
  device: Pick<NetworkPort, 'device_id' | 'device_owner'>,
): Promise<NetworkPort> {
  const now = platform.clock.now().toISOString()
  const at = (place.group ?? place.card) as Port | Portgroup
  const base: NetworkPort = {
    ...port,
    ...device,
    binding: {
      host_id: at.node_uuid,
      vnic_type: 'baremetal',
      profile: { ...port.binding.profile, ...profileOf(place) },
    },
    bound: { node: at.node_uuid, port: at.uuid },
    updated_at: now,
    version: port.version + 1,
  }
  const taken = [
    ...kept(place, { ...at.internal_info, [KEY]: port.uuid }, now),
    ...(await subPortsBound(platform.table, port, base.bound, now)),
  ]
  const fixed_ips = await addressesAt(platform.table, port, segment)
  const bound = await takePort(platform, port, base, { fixed_ips, mac_address: place.address }, taken)
  platform.log.info({ node: at.node_uuid, port: port.uuid, card: place.address }, 'port bound')
  return bound
}

/** Of the segment that it comes to, where it has none until then; undefined: what it has stays. */
async function addressesAt(
  table: Platform['table'],
  port: NetworkPort,
  segment: Segment,
): Promise<Wanted['fixed_ips']> {
  const network = await networkStore.get(table, port.network_uuid)
  const subnets = network ? await subnetsOf(table, network) : []
  if (port.deferred && port.fixed_ips.length === 0) return oneOfEach(subnetsAt(subnets, segment))
  for (const { subnet_uuid: uuid, ip_address: ip } of port.fixed_ips) {
    const at = subnets.find((each) => each.uuid === uuid)?.segment_uuid
    if (at !== undefined && at !== segment.uuid)
      throw new UserError(
        400,
        `Port ${port.uuid} has address ${ip} of segment ${at}, and the node is on segment ${segment.uuid} of physical network ${segment.physical_network}.`,
      )
  }
  return undefined
}

/** As Ironic tells Neutron's drivers where the cable ends. */
function profileOf({ card, group }: Place): Record<string, unknown> {
  const local = card?.local_link_connection ?? {}
  return {
    ...(Object.keys(local).length > 0 ? { local_link_information: [local] } : {}),
    ...(group
      ? {
          local_group_information: {
            id: group.uuid,
            name: group.name,
            bond_mode: group.mode,
            bond_properties: group.properties,
          },
        }
      : {}),
  }
}

function kept({ card, group }: Place, internal_info: Record<string, unknown>, now: string): Write[] {
  if (group)
    return portgroupStore.writes(group, { ...group, internal_info, updated_at: now, version: group.version + 1 })
  return card ? cardStore.writes(card, { ...card, internal_info, updated_at: now, version: card.version + 1 }) : []
}

/** The port is nobody's card's any more, and the card's address is free for the next one. `also`: what of it changes with that. */
export async function unbindPort(
  platform: Platform,
  port: NetworkPort,
  also: Partial<Pick<NetworkPort, 'device_id' | 'device_owner'>> = {},
): Promise<NetworkPort> {
  const now = platform.clock.now().toISOString()
  const { local_link_information: _link, local_group_information: _group, ...profile } = port.binding.profile
  const base: NetworkPort = {
    ...port,
    ...also,
    bound: null,
    binding: { ...port.binding, host_id: '', profile },
    updated_at: now,
    version: port.version + 1,
  }
  const freed = port.bound
    ? [...(await free(platform, port, port.bound.port, now)), ...(await subPortsBound(platform.table, port, null, now))]
    : []
  return takePort(platform, port, base, { fixed_ips: undefined, mac_address: port.bound ? null : undefined }, freed)
}

async function free({ table }: Platform, { uuid }: NetworkPort, at: string, now: string): Promise<Write[]> {
  const card = await cardStore.get(table, at)
  const group = card ? undefined : await portgroupStore.get(table, at)
  const info = (card ?? group)?.internal_info ?? {}
  if (info[KEY] !== uuid) return []
  const { [KEY]: _gone, ...rest } = info
  return kept({ card, group } as Place, rest, now)
}

/** One that may be bound; throws where it is somebody's. */
export async function unboundPort(table: Platform['table'], uuid: string, device: string): Promise<NetworkPort> {
  const port = await portStore.get(table, uuid)
  if (!port) throw new UserError(404, `Port ${uuid} could not be found.`)
  if (port.bound || (port.device_id !== '' && port.device_id !== device))
    throw new UserError(409, `Port ${uuid} is still in use.`)
  if (port.trunk && port.trunk.vlan !== null) requireUntrunked(port)
  return port
}
