import { parseAddress } from '../../contract/address.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Network, NetworkPort, Segment } from '../../contract/network.ts'
import type { PlanKind } from '../../contract/plan.ts'
import type { Node, Port } from '../../contract/resources.ts'
import type { ProvisionState } from '../../contract/provision.ts'
import { fastTracks } from '../conductor/machine.ts'
import { charging } from '../openstack/quotas.ts'
import { type Change, ConflictError, type Platform, type Write } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { portsOf, portStore as cardStore } from '../store/ports.ts'
import { absentAt, reachAt, subnetsAt } from './segment-places.ts'
import { serviceNetwork, type Use, useOf } from './service-networks.ts'
import { anyMacOn, portsOfDevice, portStore, portWrites, subnetsOf } from './store.ts'
import { oneOfEach, takePort } from './take-port.ts'

/** Ports that a node's cards have on the site's own networks while a ramdisk runs: made before the plan is sent, and gone when it has ended,
 * however it did. A card names its own in `internal_info`, as Ironic's do; both are written at once. */

const OWNER = 'baremetal:none'
const keyOf = (use: Use): string => `${use}_vif_port_id`
const everyUse: readonly Use[] = ['provisioning', 'cleaning', 'rescuing', 'inspection', 'servicing']

/** Ironic's `flat` makes none for deploying: its tenants' ports are there. */
function hasPorts({ network_interface: name }: Node, kind: PlanKind): boolean {
  if (kind === 'deploy') return name === 'neutron'
  return isOfNetworks(name) && ['clean', 'rescue', 'inspect', 'service'].includes(kind)
}
const isOfNetworks = (name: string | null | undefined): boolean => name === 'neutron' || name === 'flat'

/** The IPv4 address that each card of the node has for this operation. */
export async function takeServicePorts(
  platform: Platform,
  node: Node,
  kind: PlanKind,
): Promise<Record<string, string> | undefined> {
  if (!hasPorts(node, kind)) return undefined
  const use = useOf(kind)
  const network = await serviceNetwork(platform, node, use)
  if (!network) return undefined
  const served = new Set(
    (await subnetsOf(platform.table, network)).filter((each) => each.enable_dhcp).map(({ uuid }) => uuid),
  )
  const reach = await reachAt(platform.table, network, node.conductor_group)
  const addresses: Record<string, string> = {}
  for (const card of await portsOf(platform.table, node.uuid)) {
    if (!card.pxe_enabled) continue
    const segment = reach(card.physical_network) ?? reach(null)
    if (!segment) throw absentAt(network, `where card ${card.address} of site ${node.conductor_group} is`)
    const port = await taken(platform, card, { network, segment }, use)
    const four = port?.fixed_ips.find(
      ({ subnet_uuid: subnet, ip_address: ip }) => served.has(subnet) && parseAddress(ip)?.version === 4,
    )
    if (four) addresses[card.address] = four.ip_address
  }
  return Object.keys(addresses).length === 0 ? undefined : addresses
}

/** That of the card: one that it has already, also as a tenant's, or a new one. */
async function taken(
  platform: Platform,
  at: Port,
  { network, segment }: { network: Network; segment: Segment },
  use: Use,
): Promise<NetworkPort | undefined> {
  const { table, clock, ids, log } = platform
  const known = at.internal_info[keyOf(use)]
  const port = typeof known === 'string' ? await portStore.get(table, known) : undefined
  if (port?.network_uuid === network.uuid && port.mac_address === at.address) return port
  if (port) await drop(platform, at.uuid, use)
  const there = await anyMacOn(table, network.uuid, at.address)
  if (there) return there.bound?.node === at.node_uuid ? there : refuse(there, at)
  const card = await cardStore.get(table, at.uuid)
  if (!card) return undefined
  const now = clock.now().toISOString()
  const local = Object.keys(card.local_link_connection).length > 0 ? [card.local_link_connection] : undefined
  const base: NetworkPort = {
    uuid: ids.uuid(),
    project_id: network.project_id,
    network_uuid: network.uuid,
    name: '',
    description: '',
    tags: [],
    mac_address: card.address,
    fixed_ips: [],
    admin_state_up: true,
    device_id: card.node_uuid,
    device_owner: OWNER,
    dns_name: '',
    extra_dhcp_opts: [],
    allowed_address_pairs: [],
    security_groups: [],
    port_security_enabled: true,
    binding: {
      host_id: card.node_uuid,
      vnic_type: 'baremetal',
      profile: local ? { local_link_information: local } : {},
    },
    bound: { node: card.node_uuid, port: card.uuid },
    service: use,
    created_at: now,
    updated_at: null,
    version: 1,
  }
  const internal_info = { ...card.internal_info, [keyOf(use)]: base.uuid }
  const kept = cardStore.writes(card, { ...card, internal_info, updated_at: now, version: card.version + 1 })
  const subnets = await subnetsOf(table, network)
  const fixed_ips = oneOfEach(subnetsAt(subnets, segment))
  const made = await takePort(platform, undefined, base, { fixed_ips, mac_address: card.address }, kept)
  log.info(
    { node: card.node_uuid, port: made.uuid, card: card.address, network: network.uuid, use },
    'service port made',
  )
  return made
}

function refuse(there: NetworkPort, { address }: Port): never {
  throw new UserError(
    400,
    `Card ${address} can't have a port on network ${there.network_uuid}: port ${there.uuid} has its MAC there.`,
  )
}

/** Those whose operation has ended go. Fed by the change feed; each looks at what is there now. */
export async function servicePortsChanged(platform: Platform, changes: readonly Change[]): Promise<void> {
  for (const { key, before, after } of changes) {
    if (key.sk !== 'node' || !before) continue
    const [was, is] = [before.value as Node, after?.value as Node | undefined]
    if (!isOfNetworks(was.network_interface) && !isOfNetworks(is?.network_interface)) continue
    const isSame = was.provision_state === is?.provision_state && was.operation?.plan === is.operation?.plan
    if (!isSame) await settle(platform, was.uuid)
  }
}

const pending: Partial<Record<ProvisionState, PlanKind>> = {
  deploying: 'deploy',
  cleaning: 'clean',
  rescuing: 'rescue',
  inspecting: 'inspect',
  servicing: 'service',
}

async function settle(platform: Platform, uuid: string): Promise<void> {
  const { table } = platform
  const node = await getNode(table, uuid)
  if (!node) {
    for (const port of await portsOfDevice(table, uuid)) if (port.service) await remove(platform, port, [])
    return
  }
  if (stays(platform, node)) return
  const kind = (node.operation?.kind as PlanKind | undefined) ?? pending[node.provision_state]
  const kept = kind !== undefined && hasPorts(node, kind) ? useOf(kind) : undefined
  for (const { uuid: card } of await portsOf(table, uuid))
    for (const use of everyUse) if (use !== kept) await drop(platform, card, use)
}

/** Its agent waits for what comes next, on the address that it has. */
function stays({ options }: Platform, node: Node): boolean {
  const isIdle = node.provision_state === 'available' || node.provision_state === 'manageable'
  return isIdle && node.power_state === 'power on' && fastTracks(node, options)
}

const ATTEMPTS = 10

async function drop(platform: Platform, at: string, use: Use): Promise<void> {
  const { table, clock } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const card = await cardStore.get(table, at)
    const { [keyOf(use)]: named, ...internal_info } = card?.internal_info ?? {}
    if (!card || typeof named !== 'string') return
    const updated_at = clock.now().toISOString()
    const kept = cardStore.writes(card, { ...card, internal_info, updated_at, version: card.version + 1 })
    try {
      return await remove(platform, await portStore.get(table, named), kept)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`card ${at}: its ${use} port could not be removed`) // comes again
}

async function remove({ table, log }: Platform, port: NetworkPort | undefined, also: Write[]): Promise<void> {
  const counted = port ? charging(table, port.project_id, { port: -1 }) : table
  await counted.write([...portWrites(port, undefined), ...also])
  if (port) log.info({ node: port.device_id, port: port.uuid, use: port.service }, 'service port removed')
}
