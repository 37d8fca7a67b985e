import { UserError } from '../../contract/api/faults.ts'
import type { Nic, Server } from '../../contract/compute.ts'
import type { Network, NetworkPort } from '../../contract/network.ts'
import type { Port } from '../../contract/resources.ts'
import { createPort, deletePort } from '../network/ports.ts'
import { networkStore, portStore } from '../network/store.ts'
import { takePort } from '../network/take-port.ts'
import type { Platform } from '../platform.ts'
import { portsOf, portStore as cardStore } from '../store/ports.ts'

/** A server's ports, and the cards of its node that they are bound to. */

/** Before there is a node: a network that has no address left spoils no node's chances. May be done again after an interruption. */
export async function makePorts(platform: Platform, server: Server): Promise<void> {
  for (const nic of server.nics)
    if (nic.made && !(await portStore.get(platform.table, nic.port))) await makePort(platform, server, nic)
}

/** Binds each port to a card, which gives it its MAC. May be done again after an interruption. */
export async function bindPorts(platform: Platform, server: Server, node: string): Promise<void> {
  for (const nic of server.nics) {
    const port = await portStore.get(platform.table, nic.port)
    if (!port) throw new UserError(404, `Port ${nic.port} could not be found.`)
    if (port.bound?.node === node) continue
    if (port.bound || (port.device_id !== '' && port.device_id !== server.uuid))
      throw new UserError(409, `Port ${port.uuid} is still in use.`)
    const network = await networkStore.get(platform.table, port.network_uuid)
    if (!network) throw new UserError(404, `Network ${port.network_uuid} could not be found.`)
    await bind(platform, server, port, chooseCard(await portsOf(platform.table, node), network))
  }
}

function makePort(platform: Platform, server: Server, { port, network, fixed_ip: ip }: Nic): Promise<NetworkPort> {
  return createPort(
    platform,
    {
      network_id: network,
      project_id: server.project_id,
      device_id: server.uuid,
      device_owner: 'compute:nova',
      dns_name: hostName(server.name),
      ...(ip === null ? {} : { fixed_ips: [{ ip_address: ip }] }),
    },
    port,
  )
}

export function hostName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[ _]/g, '-')
    .replaceAll(/[^a-z0-9.-]/g, '')
    .replaceAll(/^[.-]+|[.-]+$/g, '')
  return plain.slice(0, 63) || 'server'
}

/** A free card on the network's wires, before one that doesn't say on which it is; of those, one that boots by PXE. */
export function chooseCard(cards: readonly Port[], { segment }: Network): Port {
  const free = cards.filter(
    (card) =>
      card.internal_info['tenant_vif_port_id'] === undefined &&
      (card.physical_network === null || card.physical_network === segment.physical_network),
  )
  const order = (card: Port): number => (card.physical_network === null ? 2 : 0) + (card.pxe_enabled ? 0 : 1)
  const [best] = free.toSorted((a, b) => order(a) - order(b) || (a.address < b.address ? -1 : 1))
  if (!best)
    throw new UserError(
      400,
      `The node has no free card on physical network ${segment.physical_network}: it has ${cards.length}, of which ${cards.length - free.length} are taken or elsewhere.`,
    )
  return best
}

/** Port and card in one transaction. */
async function bind(platform: Platform, server: Server, port: NetworkPort, card: Port): Promise<void> {
  const now = platform.clock.now().toISOString()
  const base: NetworkPort = {
    ...port,
    device_id: server.uuid,
    device_owner: port.device_owner || 'compute:nova',
    binding: { ...port.binding, host_id: card.node_uuid, vnic_type: 'baremetal' },
    bound: { node: card.node_uuid, port: card.uuid },
    updated_at: now,
    version: port.version + 1,
  }
  const internal_info = { ...card.internal_info, tenant_vif_port_id: port.uuid }
  const taken = cardStore.writes(card, { ...card, internal_info, updated_at: now, version: card.version + 1 })
  await takePort(platform, port, base, { fixed_ips: undefined, mac_address: card.address }, taken)
  platform.log.info({ server: server.uuid, node: card.node_uuid, port: port.uuid, card: card.address }, 'port bound')
}

/** Frees the cards, deletes the ports that were made for the server, and gives the others back as they were. */
export async function releasePorts(platform: Platform, server: Server): Promise<void> {
  for (const { port: uuid, made } of server.nics) {
    const port = await portStore.get(platform.table, uuid)
    if (!port || port.device_id !== server.uuid) continue
    const free = port.bound ? await unbind(platform, port) : port
    if (made) await deletePort(platform, free)
    else await disown(platform, free)
  }
}

/** Its node is not its any more: the ports stay the server's. */
export async function unbindPorts(platform: Platform, server: Server): Promise<void> {
  for (const { port: uuid } of server.nics) {
    const port = await portStore.get(platform.table, uuid)
    if (port?.bound && port.device_id === server.uuid) await unbind(platform, port)
  }
}

async function unbind(platform: Platform, port: NetworkPort): Promise<NetworkPort> {
  const now = platform.clock.now().toISOString()
  const card = port.bound && (await cardStore.get(platform.table, port.bound.port))
  const { tenant_vif_port_id: vif, ...internal_info } = card?.internal_info ?? {}
  const freed =
    card && vif === port.uuid
      ? cardStore.writes(card, { ...card, internal_info, updated_at: now, version: card.version + 1 })
      : []
  const base = {
    ...port,
    bound: null,
    binding: { ...port.binding, host_id: '' },
    updated_at: now,
    version: port.version + 1,
  }
  return takePort(platform, port, base, { fixed_ips: undefined, mac_address: undefined }, freed)
}

async function disown(platform: Platform, port: NetworkPort): Promise<void> {
  const base = { ...port, device_id: '', device_owner: '', version: port.version + 1 }
  await takePort(platform, port, base, { fixed_ips: undefined, mac_address: undefined })
}
