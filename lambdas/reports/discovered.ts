import { UserError } from '../../contract/api/faults.ts'
import { resolveInterfaces } from '../../contract/hardware.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { type Found, readInventory } from '../inspection/found.ts'
import type { Platform } from '../platform.ts'
import { blankNode } from '../store/blank-node.ts'
import { createNode } from '../store/change-node.ts'
import { getNode } from '../store/nodes.ts'
import { portOfMac } from '../store/ports.ts'
import { findingOf, inspect } from './inspected.ts'

type Discovered = Extract<Report, { kind: 'discovered' }>

/** A machine that nobody enrolled becomes a node in `enroll`, with the ports, the properties and the address of its BMC that its ramdisk
 * told (Ironic's auto-discovery). Inspection rules see `plugin_data[auto_discovered]`. */
export async function addDiscovered(platform: Platform, appliance: Appliance, report: Discovered): Promise<void> {
  const { node: uuid, inventory, at, id } = report
  const facts = { node: uuid, site: appliance.site, appliance: appliance.name }
  const why = await refusal(platform, report)
  if (why !== undefined) return platform.log.info({ ...facts, why }, 'discovered machine passed over')
  const found = readInventory(inventory)
  try {
    await createNode(platform, discoveredNode(platform, appliance, report, found))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    platform.log.info({ ...facts, why: error.message }, 'discovered machine was made a node before')
  }
  // What a crash of this function left undone, the next delivery of the report does.
  const awaits = (node: Node | undefined): node is Node =>
    node?.driver_internal_info['discovered_by'] === id && node.driver_internal_info['inspected_by'] !== id
  const node = await getNode(platform.table, uuid)
  if (!awaits(node)) return
  const plugin_data = { ...report.plugin_data, auto_discovered: true }
  const finding = findingOf(platform, node, { inventory, plugin_data })
  await inspect(platform, { node: uuid, inventory, plan: id, at, conductor: appliance.name }, finding, awaits)
  platform.log.info({ ...facts, driver: node.driver }, 'discovered machine enrolled')
}

/** Any card that a node has makes the machine that node: two nodes of one machine would fight over it. */
async function refusal({ options, table }: Platform, report: Discovered): Promise<string | undefined> {
  if (options.auto_discovery_driver === null) return 'the option auto_discovery_driver is null'
  const { interfaces } = readInventory(report.inventory)
  if (interfaces.length === 0) return 'it has no network card with a MAC address'
  for (const { mac_address: address } of interfaces) {
    const port = await portOfMac(table, address)
    if (port && port.node_uuid !== report.node) return `${address} is of node ${port.node_uuid}`
  }
  return undefined
}

function discoveredNode(
  { options, clock }: Platform,
  { site }: Appliance,
  { node: uuid, id }: Discovered,
  found: Found,
): Node {
  const driver = options.auto_discovery_driver ?? ''
  const interfaces = resolveInterfaces(driver, { inspect_interface: 'agent' })
  if (typeof interfaces === 'string') throw new UserError(400, interfaces)
  return {
    ...blankNode,
    ...interfaces,
    uuid,
    driver,
    conductor_group: site,
    driver_info: bmcOf(driver, found),
    driver_internal_info: { discovered_by: id },
    provision_state: 'enroll',
    created_at: clock.now().toISOString(),
  }
}

const REDFISH: string[] = ['redfish', 'idrac']

/** Where its BMC is, where the ramdisk could tell; people add who may log in. */
export function bmcOf(driver: string, { bmc_address: four, bmc_v6address: six }: Found): Record<string, unknown> {
  const address = [four, six].find((each) => each && each !== '0.0.0.0' && each !== '::')
  if (!address) return {}
  if (!REDFISH.includes(driver)) return { ipmi_address: address }
  return { redfish_address: `https://${address.includes(':') ? `[${address}]` : address}` }
}
