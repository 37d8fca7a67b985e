import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { bindPort, type Place, placeFor, placesOf, unbindPort, unboundPort } from './binding.ts'
import { networkStore, portStore } from './store.ts'
import { requireSwitchAtRest } from './switched.ts'

/** Ironic's VIFs, of network interfaces that know them: ports of our own networks, bound to a node's cards. */

/** What it did not make belongs to its maker, so that only what it set itself is taken back. */
const OWNER = 'baremetal:none'

export const knowsVifs = ({ network_interface: name }: Pick<Node, 'network_interface'>): boolean =>
  name === 'flat' || name === 'neutron'

export async function vifsOf({ table }: Platform, { uuid }: Node): Promise<string[]> {
  return (await placesOf(table, uuid)).flatMap(({ vif }) => (vif === undefined ? [] : [vif]))
}

export async function attachVif(
  platform: Platform,
  node: Node,
  {
    id,
    port_uuid: card,
    portgroup_uuid: group,
  }: { id: string; port_uuid?: string | undefined; portgroup_uuid?: string | undefined },
): Promise<void> {
  const { table } = platform
  requireSwitchAtRest(node, `VIF ${id}`)
  const places = await placesOf(table, node.uuid)
  if (places.some(({ vif }) => vif === id))
    throw new UserError(409, `Unable to attach VIF because VIF ${id} is already attached to Ironic Port`)
  const device = node.instance_uuid ?? node.uuid
  const port = await unboundPort(table, id, device)
  const network = await networkStore.get(table, port.network_uuid)
  if (!network) throw new UserError(404, `Network ${port.network_uuid} could not be found.`)
  const isAsked = (place: Place): boolean =>
    (card === undefined || place.card?.uuid === card) && (group === undefined || place.group?.uuid === group)
  const found = await placeFor(table, node, places.filter(isAsked), network)
  const { place } = found
  if (node.network_interface === 'neutron' && place.card && !hasLink(place.card.local_link_connection))
    throw new UserError(
      400,
      `Port ${place.card.uuid} has no local_link_connection with switch_id (or switch_info) and port_id, so that network interface neutron can't tell where it is plugged in.`,
    )
  await bindPort(platform, port, found, { device_id: device, device_owner: port.device_owner || OWNER })
}

const hasLink = (link: Record<string, unknown>): boolean =>
  typeof link['port_id'] === 'string' &&
  (typeof link['switch_id'] === 'string' || typeof link['switch_info'] === 'string')

export async function detachVif(platform: Platform, node: Node, id: string): Promise<void> {
  requireSwitchAtRest(node, `VIF ${id}`)
  const port = await portStore.get(platform.table, id)
  if (port?.bound?.node !== node.uuid) throw new UserError(400, `VIF ${id} is not attached to node ${node.uuid}`)
  const isOurs = port.device_owner === OWNER
  await unbindPort(platform, port, isOurs ? { device_id: '', device_owner: '' } : {})
}
