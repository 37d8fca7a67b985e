import type { HookName } from '../../../contract/inspection-options.ts'
import type { Node, Port } from '../../../contract/resources.ts'
import { ramdiskError } from '../rules.ts'
import { accelerators, extraHardware, pciDevices } from './cards.ts'
import type { Finding, Hook, PortsDraft } from './hook.ts'
import { localLinkConnection, parseLldp, physicalNetwork, ports, validateInterfaces } from './ports.ts'
import { architecture, bootMode, cpuCapabilities, cpus, memory, raidDevice, rootDevice } from './properties.ts'

export const hooks: { [N in HookName]: Hook } = {
  'ramdisk-error': { refuses: ({ plugin_data }) => ramdiskError(plugin_data) },
  'validate-interfaces': validateInterfaces,
  ports,
  architecture,
  cpus,
  memory,
  'root-device': rootDevice,
  'boot-mode': bootMode,
  'cpu-capabilities': cpuCapabilities,
  'parse-lldp': parseLldp,
  'local-link-connection': localLinkConnection,
  'physical-network': physicalNetwork,
  'pci-devices': pciDevices,
  accelerators,
  'extra-hardware': extraHardware,
  'raid-device': raidDevice,
}

const wanted = ({ options }: Finding): Hook[] => options.inspection_hooks.map((name) => hooks[name])

export function refusalOf(finding: Finding): string | undefined {
  for (const hook of wanted(finding)) {
    const why = hook.refuses?.(finding)
    if (why !== undefined) return why
  }
  return undefined
}

export function inspectedNode(node: Node, finding: Finding): Node {
  return wanted(finding).reduce((so, hook) => hook.node?.(so, finding) ?? so, node)
}

export function inspectedPorts(known: readonly Port[], finding: Finding): PortsDraft {
  const none: PortsDraft = { add: [], keep: [...known], remove: [] }
  return wanted(finding).reduce((so, hook) => hook.ports?.(so, finding) ?? so, none)
}

/** What the ramdisk told beside its inventory, and what hooks made of it. */
export function inspectedData(finding: Finding): Record<string, unknown> {
  return wanted(finding).reduce((so, hook) => ({ ...so, ...hook.plugin_data?.(finding) }), finding.plugin_data)
}
