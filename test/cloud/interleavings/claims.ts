import type { Volume } from '../../../contract/block-storage.ts'
import type { Server } from '../../../contract/compute.ts'
import type { Network, NetworkPort, Subnet, Trunk } from '../../../contract/network.ts'
import type { Node, Port } from '../../../contract/resources.ts'
import type { VolumeTarget } from '../../../contract/volume.ts'
import type { Item } from '../../../lambdas/platform.ts'
import { addressKey, macKey } from '../../../lambdas/network/store.ts'

/** What is wrong with who has what, when all is at rest: each thing that can be had is had by one who knows of it, or by nobody. */
export function wrongClaims(items: readonly Item[]): string[] {
  const of = <T>(sk: string): T[] => items.filter((item) => item.sk === sk).map(({ value }) => value as T)
  const servers = new Map(of<Server>('server').map((each) => [each.uuid, each]))
  const ports = new Map(of<NetworkPort>('network-port').map((each) => [each.uuid, each]))
  const nodes = new Map(of<Node>('node').map((each) => [each.uuid, each]))
  const cards = new Map(of<Port>('port').map((each) => [each.uuid, each]))
  const volumes = new Map(of<Volume>('volume').map((each) => [each.uuid, each]))
  const wrong = [
    ...[...servers.values()].flatMap((each) => serverWrong(each, nodes, ports, volumes)),
    ...[...nodes.values()].flatMap((each) => nodeWrong(each, servers)),
    ...[...ports.values()].flatMap((each) =>
      each.service ? serviceWrong(each, nodes, cards) : portWrong(each, servers, cards),
    ),
    ...of<Trunk>('trunk').flatMap((each) => trunkWrong(each, ports)),
    ...[...cards.values()].flatMap((card) => cardWrong(card, ports)),
    ...addressesWrong(items, ports),
    ...[...volumes.values()].flatMap((each) => volumeWrong(each, servers)),
    ...of<VolumeTarget>('target').flatMap((each) => targetWrong(each, nodes, servers)),
    ...networksWrong(of<Network>('network'), of<Subnet>('subnet'), [...ports.values()]),
  ]
  return wrong
}

function serverWrong(
  { uuid, state, task, node, nics, volumes }: Server,
  nodes: Map<string, Node>,
  ports: Map<string, NetworkPort>,
  all: Map<string, Volume>,
): string[] {
  if (task !== null) return [`server ${uuid} is still ${task}`]
  if (state === 'error') return node === null ? [] : [`server ${uuid} failed and has node ${node}`]
  const wrong = node !== null && nodes.get(node)?.instance_uuid === uuid ? [] : [`server ${uuid} has not its node`]
  const apart = (volumes ?? []).filter(
    ({ volume, attachment }) =>
      !all.get(volume)?.attachments.some((each) => each.uuid === attachment && each.status === 'attached'),
  )
  const unbound = nics.filter(({ port }) => ports.get(port)?.bound?.node !== node)
  return [
    ...wrong,
    ...unbound.map(({ port }) => `port ${port} of server ${uuid} is not on its node`),
    ...apart.map(({ volume }) => `volume ${volume} of server ${uuid} is not attached`),
  ]
}

function nodeWrong(
  { uuid, instance_uuid: instance, provision_state: state }: Node,
  servers: Map<string, Server>,
): string[] {
  if (instance === null) return state === 'available' ? [] : [`node ${uuid} is nobody's and ${state}`]
  return servers.get(instance)?.node === uuid ? [] : [`node ${uuid} is of server ${instance}, which does not have it`]
}

/** One that a server made goes with it; one that it was given is free again. */
function portWrong(
  { uuid, device_id: device, bound, trunk }: NetworkPort,
  servers: Map<string, Server>,
  cards: Map<string, Port>,
): string[] {
  const server = servers.get(device)
  if (trunk && trunk.vlan !== null) return [] // where its parent is
  if (device === '') return bound ? [`port ${uuid} is bound for nobody`] : []
  if (!server) return [`port ${uuid} is of server ${device}, which is not there`]
  if (server.state === 'error' && server.launched_at === null)
    return [`port ${uuid} is of server ${device}, which failed`]
  if (bound && cards.get(bound.port)?.internal_info['tenant_vif_port_id'] !== uuid)
    return [`port ${uuid} is bound to card ${bound.port}, which does not know`]
  return []
}

/** Of a node that is being cleaned, say; its card knows of it. */
function serviceWrong(
  { uuid, bound, service, device_id: device }: NetworkPort,
  nodes: Map<string, Node>,
  cards: Map<string, Port>,
): string[] {
  const node = nodes.get(device)
  if (!node?.operation) return [`port ${uuid} for ${service} is left of node ${device}`]
  const known = cards.get(bound?.port ?? '')?.internal_info[`${service}_vif_port_id`]
  return known === uuid ? [] : [`port ${uuid} for ${service} is on a card that does not know`]
}

/** Its ports know of it, and its subports are where its parent is. */
function trunkWrong({ uuid, port_uuid: of, sub_ports: subs }: Trunk, ports: Map<string, NetworkPort>): string[] {
  const parent = ports.get(of)
  if (parent?.trunk?.uuid !== uuid) return [`trunk ${uuid} has parent ${of}, which does not know`]
  return subs.flatMap(({ port_uuid: sub }) => {
    const port = ports.get(sub)
    if (port?.trunk?.uuid !== uuid) return [`trunk ${uuid} has subport ${sub}, which does not know`]
    const isThere = JSON.stringify(port.bound) === JSON.stringify(parent.bound)
    return isThere ? [] : [`subport ${sub} is not where its parent ${of} is`]
  })
}

function cardWrong({ uuid, internal_info: info }: Port, ports: Map<string, NetworkPort>): string[] {
  const vif = info['tenant_vif_port_id'] as string | undefined
  return vif === undefined || ports.get(vif)?.bound?.port === uuid ? [] : [`card ${uuid} has port ${vif}`]
}

/** What is attached is so to a server that has it, and that has a machine. */
function volumeWrong({ uuid, attachments, status }: Volume, servers: Map<string, Server>): string[] {
  const strange = attachments.filter(({ uuid: attachment, server: of }) => {
    const server = servers.get(of ?? '')
    return server?.node == null || !server.volumes?.some((each) => each.attachment === attachment)
  })
  const isFree = attachments.length === 0
  return [
    ...strange.map(({ server }) => `volume ${uuid} is attached to server ${server}, which does not have it`),
    ...(isFree === (status === 'in-use')
      ? [`volume ${uuid} has ${attachments.length} attachments and is ${status}`]
      : []),
  ]
}

function targetWrong(
  { uuid, node_uuid: node, volume_id: volume }: VolumeTarget,
  nodes: Map<string, Node>,
  servers: Map<string, Server>,
): string[] {
  const server = servers.get(nodes.get(node)?.instance_uuid ?? '')
  return server?.volumes?.some(({ attachment }) => attachment === uuid)
    ? []
    : [`node ${node} has a target of volume ${volume}, and no server with it`]
}

function addressesWrong(items: readonly Item[], ports: Map<string, NetworkPort>): string[] {
  const text = ({ pk, sk }: { pk: string; sk: string }): string => `${pk} ${sk}`
  const due = new Map(
    [...ports.values()].flatMap((port) =>
      [...port.fixed_ips.map(addressKey), macKey(port.network_uuid, port.mac_address)].map((key) => [
        text(key),
        port.uuid,
      ]),
    ),
  )
  const taken = items.filter(({ pk }) => /^(addresses-of|macs-on)#/.test(pk))
  const here = new Set(taken.map(text))
  return [
    ...taken
      .filter((item) => due.get(text(item)) !== (item.value as { port: string }).port)
      .map((item) => `${text(item)} is taken for nothing`),
    ...[...due].filter(([key]) => !here.has(key)).map(([key, port]) => `${key} is not kept for port ${port}`),
  ]
}

function networksWrong(networks: Network[], subnets: Subnet[], ports: NetworkPort[]): string[] {
  const named = new Set(networks.flatMap(({ subnets: own }) => own))
  const there = new Set(subnets.map(({ uuid }) => uuid))
  const used = ports.flatMap(({ uuid, fixed_ips: ips }) => ips.map(({ subnet_uuid: subnet }) => ({ uuid, subnet })))
  return [
    ...networks.filter(({ closed }) => closed).map(({ uuid }) => `network ${uuid} stays closed`),
    ...subnets.filter(({ uuid }) => !named.has(uuid)).map(({ uuid }) => `subnet ${uuid} is of no network`),
    ...[...named].filter((uuid) => !there.has(uuid)).map((uuid) => `subnet ${uuid} is named and not there`),
    ...used.filter(({ subnet }) => !there.has(subnet)).map(({ uuid }) => `port ${uuid} is on a subnet that is gone`),
    ...ports
      .filter(({ network_uuid: on }) => !networks.some(({ uuid }) => uuid === on))
      .map(({ uuid }) => `port ${uuid} is on a network that is gone`),
  ]
}
