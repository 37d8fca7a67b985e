import { UserError } from '../../contract/api/faults.ts'
import type { Network, NetworkPort } from '../../contract/network.ts'
import type { Plan, PlanKind, Step } from '../../contract/plan.ts'
import type { TrunkConnection } from '../../contract/switch-doors.ts'
import type { Node, Port } from '../../contract/resources.ts'
import { vifOf } from '../network/binding.ts'
import { absentAt, type Reach, reachAt } from '../network/segment-places.ts'
import { requireServiceNetwork, useOf } from '../network/service-networks.ts'
import { networkStore, portStore } from '../network/store.ts'
import { carriedBy } from '../network/trunk-ports.ts'
import type { Platform } from '../platform.ts'
import { portgroupStore } from '../store/portgroups.ts'
import { portsOf } from '../store/ports.ts'
import { switchesOf } from '../store/site-switches.ts'
import type { Steps } from './planners.ts'
import { step } from './ramdisk.ts'

/** Of network interface `neutron`: where a node's cards are plugged in, and which VLANs they are to have while it is provisioned, and while it
 * is a tenant's. */
export interface Wiring {
  service: TrunkConnection[]
  tenant: TrunkConnection[]
}

/** Undefined: no switch is touched. An instance is got rid of also where nobody can say any more where its machine is to be plugged. */
export async function wiringOf(
  platform: Pick<Platform, 'table' | 'options'>,
  node: Node,
  cards: readonly Port[],
  kind: PlanKind,
): Promise<Wiring | undefined> {
  return found(platform, node, cards, kind).catch((error: unknown) => {
    if (kind === 'tear_down' && error instanceof UserError) return undefined
    throw error
  })
}

async function found(
  platform: Pick<Platform, 'table' | 'options'>,
  node: Node,
  cards: readonly Port[],
  kind: PlanKind,
): Promise<Wiring | undefined> {
  const { table } = platform
  if (node.network_interface !== 'neutron' || !moves.has(kind)) return undefined
  const plugged = cards.flatMap((card) => {
    const { switch_info: name, switch_id: id, port_id: port } = card.local_link_connection
    const at = typeof name === 'string' && name !== '' ? name : id
    return typeof at === 'string' && typeof port === 'string' ? [{ card, switch: at, port }] : []
  })
  const use = useOf(kind)
  const network = await requireServiceNetwork(platform, node, use)
  const service = plugged.filter(({ card }) => card.pxe_enabled)
  if (service.length === 0)
    throw new UserError(
      400,
      'Network interface neutron needs a port with pxe_enabled, and switch_info (or switch_id) and port_id in its local_link_connection.',
    )
  const home = await reachAt(table, network, node.conductor_group)
  const tenant: TrunkConnection[] = []
  for (const { card, ...at } of plugged) {
    const vif = vifOf(card) ?? (await vifOfGroup(table, card))
    const port = vif === undefined ? undefined : await portStore.get(table, vif)
    if (!port) continue
    const tagged = (await carriedBy(table, port)).map((each) => each.vlan)
    const away = await tenantNetwork(table, port)
    const reach = await reachAt(table, away, node.conductor_group)
    tenant.push({ ...at, vlan: vlanIn(away, reach, card, `port ${port.uuid}`), tagged })
  }
  const served = service.map(({ card, ...at }) => {
    return { ...at, vlan: vlanIn(network, home, card, `the ${use} network`), tagged: [] }
  })
  return { service: served, tenant }
}

/** All cards of a bond are in its VLANs. */
async function vifOfGroup(table: Platform['table'], { portgroup_uuid: uuid }: Port): Promise<string | undefined> {
  const group = uuid === null ? undefined : await portgroupStore.get(table, uuid)
  return group && vifOf(group)
}

/** What is missing for network interface neutron, as `validate` tells it. */
export async function requireWired(platform: Pick<Platform, 'table' | 'options'>, node: Node): Promise<void> {
  const cards = await portsOf(platform.table, node.uuid)
  for (const kind of ['clean', 'deploy'] as const) await found(platform, node, cards, kind)
}

/** Those that start a ramdisk or an instance, or end one. */
const moves = new Set<PlanKind>(['inspect', 'clean', 'tear_down', 'rescue', 'service', 'deploy', 'unrescue'])

async function tenantNetwork(table: Platform['table'], port: NetworkPort): Promise<Network> {
  const network = await networkStore.get(table, port.network_uuid)
  if (network) return network
  throw new UserError(400, `Network ${port.network_uuid} of port ${port.uuid} could not be found.`)
}

/** Of the segment that a card is on. */
function vlanIn(network: Network, reach: Reach, card: Port, what: string): number {
  const segment = reach(card.physical_network) ?? reach(null)
  if (!segment) throw absentAt(network, `where card ${card.address} is: it is that of ${what}`)
  if (segment.vlan !== null) return segment.vlan
  throw new UserError(
    400,
    `Network ${network.uuid} of ${what} is flat: a switch's port is moved to networks of type vlan only.`,
  )
}

function plug(connections: readonly TrunkConnection[]): Step[] {
  if (connections.length === 0) return []
  const on = { interfaces: {}, disable_power_off: false }
  if (connections.some(({ tagged }) => tagged.length > 0)) return [step('network.plug_trunk', on, { connections })]
  return [step('network.plug', on, { connections: connections.map(({ tagged: _none, ...each }) => each) })]
}

/** What of the site's switches a plan has to bring along. */
export async function doorsFor(
  { table }: Pick<Platform, 'table'>,
  { conductor_group: site }: Pick<Node, 'conductor_group'>,
  wiring: Wiring | undefined,
): Promise<Plan['switches']> {
  if (!wiring) return undefined
  const named = new Set([...wiring.service, ...wiring.tenant].map((each) => each.switch.toLowerCase()))
  const doors = (await switchesOf(table, site)).filter(
    ({ name, id }) => named.has(name.toLowerCase()) || (id !== null && named.has(id.toLowerCase())),
  )
  return doors.length === 0 ? undefined : { site, doors }
}

/** Before a ramdisk starts the machine is in the site's own VLAN, before its instance does in the tenants'; whatever fails leaves it in the
 * site's. Pure. */
export function withPlugs({ steps, on_failure }: Steps, kind: PlanKind, wiring: Wiring | undefined): Steps {
  if (!wiring) return { steps, on_failure }
  const home = plug(wiring.service)
  const away = plug(wiring.tenant)
  const startsRamdisk = (each: Step): boolean =>
    each.interface === 'boot' && /^prepare_(ramdisk|installer)$/.test(each.step)
  const startsInstance = (each: Step): boolean => each.interface === 'boot' && each.step.startsWith('prepare_instance')
  const first = steps.findIndex(startsRamdisk)
  const last = steps.findIndex(startsInstance)
  const plugged = steps.flatMap((each, at) => [...(at === first ? home : []), ...(at === last ? away : []), each])
  const isLeft = kind === 'tear_down'
  const wentAway = last >= 0 && away.length > 0
  return {
    steps: isLeft ? [...plugged, ...home] : plugged,
    on_failure: wentAway && on_failure.length > 0 ? [...on_failure, ...home] : on_failure,
  }
}
