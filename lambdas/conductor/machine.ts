import { interfaceKinds } from '../../contract/hardware.ts'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Node, Port } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { bootMode } from './boot-mode.ts'

type FastTrack = Pick<ConductorOptions, 'fast_track'>

/** What the site has to know of a node to carry out a plan. */
export function machineOf(node: Node, ports: Port[], options: FastTrack = { fast_track: false }): Machine {
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
    disable_power_off: node.disable_power_off || hasAgentPower(node),
    ...(fastTracks(node, options) && { fast_track: true }),
    ...(Object.keys(node.network_data).length === 0 ? {} : { network_data: node.network_data }),
    ...(Object.keys(node.target_raid_config).length === 0 ? {} : { target_raid_config: node.target_raid_config }),
    ports: ports.map(({ uuid, address, pxe_enabled }) => ({ uuid, address, pxe_enabled })),
  }
}

/** Without a BMC: the agent restarts its machine, and nobody but people switches it on. */
export function hasAgentPower({ power_interface: power }: Pick<Node, 'power_interface'>): boolean {
  return power === 'agent'
}

/** A fake boot interface has no agent that could stay. */
export function fastTracks({ driver_info, boot_interface }: Node, { fast_track: usual }: FastTrack): boolean {
  if (boot_interface === 'fake') return false
  return boolean
    .default(usual)
    .catch(usual)
    .parse(driver_info['fast_track'] ?? undefined)
}

function architecture(named: unknown): Machine['cpu_arch'] {
  if (named === undefined || named === null || named === 'x86_64' || named === 'amd64') return 'x86_64'
  if (named === 'aarch64' || named === 'arm64') return 'aarch64'
  throw new UserError(400, `properties/cpu_arch ${JSON.stringify(named)} is neither x86_64 nor aarch64.`)
}
