import { UserError } from '../../contract/api/faults.ts'
import type { Nic, Server } from '../../contract/compute.ts'
import type { NetworkPort } from '../../contract/network.ts'
import { bindPort, placeFor, placesOf, unbindPort, unboundPort } from '../network/binding.ts'
import { createPort, deletePort } from '../network/ports.ts'
import { networkStore, portStore } from '../network/store.ts'
import { takePort } from '../network/take-port.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { hostName, labelOf } from './naming.ts'

/** A server's ports, and the cards of its node that they are bound to. */

/** Before there is a node: a network that has no address left spoils no node's chances. May be done again after an interruption. */
export async function makePorts(platform: Platform, server: Server): Promise<void> {
  for (const nic of server.nics)
    if (nic.made && !(await portStore.get(platform.table, nic.port))) await makePort(platform, server, nic)
}

/** Binds each port to a card, which gives it its MAC. May be done again after an interruption. */
export async function bindPorts(platform: Platform, server: Server, node: string): Promise<void> {
  for (const nic of server.nics) {
    if ((await portStore.get(platform.table, nic.port))?.bound?.node === node) continue
    const port = await unboundPort(platform.table, nic.port, server.uuid)
    const network = await networkStore.get(platform.table, port.network_uuid)
    if (!network) throw new UserError(404, `Network ${port.network_uuid} could not be found.`)
    const at = await getNode(platform.table, node)
    if (!at) throw new UserError(404, `Node ${node} could not be found.`)
    const place = await placeFor(platform.table, at, await placesOf(platform.table, node), network)
    const device = { device_id: server.uuid, device_owner: port.device_owner || 'compute:nova' }
    await bindPort(platform, port, place, device)
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
      dns_name: labelOf(server.hostname ?? hostName(server.name)),
      ...(ip === null ? {} : { fixed_ips: [{ ip_address: ip }] }),
    },
    port,
  )
}

/** Frees the cards, deletes the ports that were made for the server, and gives the others back as they were. */
export async function releasePorts(platform: Platform, server: Server): Promise<void> {
  for (const { port: uuid, made } of server.nics) {
    const port = await portStore.get(platform.table, uuid)
    if (!port || port.device_id !== server.uuid) continue
    const free = port.bound ? await unbindPort(platform, port) : port
    if (made) await deletePort(platform, free)
    else await disown(platform, free)
  }
}

/** Its node is not its any more: the ports stay the server's. */
export async function unbindPorts(platform: Platform, server: Server): Promise<void> {
  for (const { port: uuid } of server.nics) {
    const port = await portStore.get(platform.table, uuid)
    if (port?.bound && port.device_id === server.uuid) await unbindPort(platform, port)
  }
}

async function disown(platform: Platform, port: NetworkPort): Promise<void> {
  const base = { ...port, device_id: '', device_owner: '', version: port.version + 1 }
  await takePort(platform, port, base, { fixed_ips: undefined, mac_address: undefined })
}
