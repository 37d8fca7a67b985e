import { interfaceKinds } from '../../contract/hardware.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Node, Port } from '../../contract/resources.ts'
import { bootMode } from './boot-mode.ts'

/** What the site has to know of a node to carry out a plan. */
export function machineOf(node: Node, ports: Port[]): Machine {
  return {
    node: node.uuid,
    name: node.name,
    driver: node.driver,
    interfaces: Object.fromEntries(interfaceKinds.map((kind) => [kind, node[`${kind}_interface`]])),
    driver_info: node.driver_info,
    properties: node.properties,
    instance_info: node.instance_info,
    boot_mode: bootMode(node),
    cpu_arch: architecture(node.properties['cpu_arch']),
    disable_power_off: node.disable_power_off,
    ...(Object.keys(node.network_data).length === 0 ? {} : { network_data: node.network_data }),
    ...(Object.keys(node.target_raid_config).length === 0 ? {} : { target_raid_config: node.target_raid_config }),
    ports: ports.map(({ uuid, address, pxe_enabled }) => ({ uuid, address, pxe_enabled })),
  }
}

function architecture(named: unknown): Machine['cpu_arch'] {
  if (named === undefined || named === null || named === 'x86_64' || named === 'amd64') return 'x86_64'
  if (named === 'aarch64' || named === 'arm64') return 'aarch64'
  throw new UserError(400, `properties/cpu_arch ${JSON.stringify(named)} is neither x86_64 nor aarch64.`)
}
