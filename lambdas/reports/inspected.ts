import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Report } from '../../contract/messages.ts'
import { type Appliance, macAddress, type Node, type Port } from '../../contract/resources.ts'
import { linkOf, lldpTlvs, type Neighbour, neighbourOf } from '../inspection/lldp.ts'
import type { Platform } from '../platform.ts'
import { putInventory } from '../store/inventory.ts'
import { getNode } from '../store/nodes.ts'
import { PORTS_PER_NODE, portsOf, portStore } from '../store/ports.ts'
import { isAsked, isDone } from './asked.ts'
import { judge } from './judge.ts'

const GIB = 1024 ** 3

/** What is read of an inventory; what is not there, or is not as ironic-python-agent says it, is passed over. */
export const inventorySchema = z.object({
  cpu: z
    .object({ count: z.int().positive(), architecture: z.string().max(32) })
    .partial()
    .catch({}),
  memory: z.object({ physical_mb: z.int().positive() }).partial().catch({}),
  boot: z
    .object({ current_boot_mode: z.enum(['uefi', 'bios']), pxe_interface: z.string().nullable() })
    .partial()
    .catch({}),
  disks: z.array(z.object({ size: z.number().positive() }).catch({ size: 0 })).catch([]),
  interfaces: z
    .array(
      z
        .object({
          mac_address: z.string().toLowerCase().pipe(macAddress),
          has_carrier: z.boolean().nullish(),
          name: z.string().max(255).nullish().catch(null),
          lldp: lldpTlvs.nullish().catch(null),
        })
        .nullable()
        .catch(null),
    )
    .catch([]),
})
type Found = z.infer<typeof inventorySchema>

type Inventoried = Extract<Report, { kind: 'inventory' }>

/** Network cards become ports, the properties that schedulers read are filled in, the rules are applied, and all is kept (reference
 * §3.11). False: nobody waits for it any more. */
export async function addInspected(platform: Platform, appliance: Appliance, report: Inventoried): Promise<boolean> {
  const { node: uuid, inventory, at } = report
  const awaits = (node: Node | undefined): node is Node => isAwaited(node, appliance, report)
  const node = await getNode(platform.table, uuid)
  if (!awaits(node)) return false
  const found = inventorySchema.parse({ cpu: {}, memory: {}, boot: {}, disks: [], interfaces: [], ...inventory })
  await addPorts(platform, uuid, found)
  const inspected = (of: Node): Node => ({ ...of, properties: withFound(of.properties, found) })
  const told = { ...report, ...withNeighbours(report.plugin_data, found), conductor: appliance.name }
  const plugin_data = await judge(platform, told, awaits, inspected)
  await putInventory(platform.table, uuid, { inventory, plugin_data: { ...plugin_data, inspected_at: at } })
  return true
}

/** For the first time: rules may count what they see. */
function isAwaited(node: Node | undefined, appliance: Appliance, report: Inventoried): node is Node {
  if (!node || !isAsked(node, appliance, report)) return false
  const isOpen = node.operation !== null || isDone(node, report.generation)
  return isOpen && node.driver_internal_info['inspected_by'] !== report.plan
}

async function addPorts(platform: Platform, node: string, found: Found): Promise<void> {
  const known = await portsOf(platform.table, node)
  const fresh = portsFound(found).filter(({ address }) => !known.some((port) => port.address === address))
  const links = linksFound(found)
  const of = (address: string): Port['local_link_connection'] => links.get(address) ?? {}
  for (const each of fresh.slice(0, PORTS_PER_NODE - known.length))
    await addPort(platform, node, { ...each, local_link_connection: of(each.address) })
  // What people have written is theirs.
  for (const port of known.filter(({ local_link_connection: link }) => Object.keys(link).length === 0))
    if (links.has(port.address)) await link(platform, port, of(port.address))
}

/** A port that somebody changes meanwhile keeps what they wrote: the next inspection is another chance. */
async function link(
  platform: Platform,
  port: Port,
  local_link_connection: Port['local_link_connection'],
): Promise<void> {
  const updated_at = platform.clock.now().toISOString()
  await portStore.save(platform.table, port, { ...port, local_link_connection, updated_at, version: port.version + 1 })
}

/** Where each card is plugged in, as its switch says. */
export function linksFound({ interfaces }: Found): Map<string, Port['local_link_connection']> {
  return new Map(
    interfaces.flatMap((card) => {
      const told = card?.lldp ? linkOf(neighbourOf(card.lldp)) : undefined
      return card && told ? [[card.mac_address, told] as const] : []
    }),
  )
}

/** As Ironic's hook `parse-lldp` does it: by the names of the cards. */
function withNeighbours(
  plugin_data: Inventoried['plugin_data'],
  { interfaces }: Found,
): Pick<Inventoried, 'plugin_data'> {
  const parsed = interfaces.flatMap((card): [string, Neighbour][] =>
    card?.lldp && typeof card.name === 'string' ? [[card.name, neighbourOf(card.lldp)]] : [],
  )
  return parsed.length === 0
    ? { plugin_data }
    : { plugin_data: { ...plugin_data, parsed_lldp: Object.fromEntries(parsed) } }
}

/** What the machine says of itself replaces what was there; other capabilities stay. */
export function withFound(properties: Node['properties'], { cpu, memory, disks, boot }: Found): Node['properties'] {
  const largest = Math.max(0, ...disks.map(({ size }) => size))
  return {
    ...properties,
    ...(cpu.architecture === undefined ? {} : { cpu_arch: cpu.architecture }),
    ...(cpu.count === undefined ? {} : { cpus: cpu.count }),
    ...(memory.physical_mb === undefined ? {} : { memory_mb: memory.physical_mb }),
    // One less, for partition tables and rounding, as Ironic counts.
    ...(largest < GIB ? {} : { local_gb: Math.floor(largest / GIB) - 1 }),
    ...(boot.current_boot_mode === undefined
      ? {}
      : { capabilities: withBootMode(properties['capabilities'], boot.current_boot_mode) }),
  }
}

function withBootMode(capabilities: unknown, mode: string): string {
  const others = typeof capabilities === 'string' ? capabilities.split(',').map((each) => each.trim()) : []
  return [...others.filter((each) => each !== '' && !each.startsWith('boot_mode:')), `boot_mode:${mode}`].join(',')
}

/** The card that booted, or all where that is not known ([inspector] add_ports = pxe). */
export function portsFound({ interfaces, boot }: Found): { address: string; pxe_enabled: boolean }[] {
  const booted = boot.pxe_interface?.toLowerCase().replace(/^01-/, '').replaceAll('-', ':')
  const cards = interfaces.flatMap((card) => (card ? [card.mac_address] : []))
  return [...new Set(cards)]
    .filter((address) => !booted || address === booted)
    .map((address) => ({ address, pxe_enabled: true }))
}

type NewPort = Pick<Port, 'address' | 'pxe_enabled' | 'local_link_connection'>

async function addPort(platform: Platform, node: string, of: NewPort): Promise<void> {
  const port: Port = {
    ...of,
    uuid: platform.ids.uuid(),
    node_uuid: node,
    portgroup_uuid: null,
    name: null,
    description: null,
    extra: {},
    internal_info: {},
    physical_network: null,
    is_smartnic: false,
    vendor: null,
    category: null,
    available_for_dynamic_portgroup: true,
    created_at: platform.clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  try {
    await portStore.save(platform.table, undefined, port)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    platform.log.warn({ node, address: of.address, why: error.message }, 'a port that was found was not added')
  }
}
