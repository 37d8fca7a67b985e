import { UserError } from '../../contract/api/faults.ts'
import type { Validation } from '../../contract/api/requests.ts'
import {
  AUTODETECT,
  checkConsole,
  checkDriverInfo,
  type InterfaceKind,
  interfaceKinds,
  isAbsent,
} from '../../contract/hardware.ts'
import type { Node, Port } from '../../contract/resources.ts'
import { bootVolumeOf } from '../conductor/boot-volume.ts'
import { bootcOf } from '../conductor/bootc.ts'
import { resolveImage } from '../conductor/image-source.ts'
import { installer } from '../conductor/installer.ts'
import { withDeployInterface } from '../conductor/deploy-interface.ts'
import { instanceRamdisk } from '../conductor/instance-ramdisk.ts'
import { fastTracks, hasAgentPower, machineOf } from '../conductor/machine.ts'
import { partitionsOf } from '../conductor/partition-image.ts'
import { requireWired } from '../conductor/plugs.ts'
import { serviceNetwork } from '../network/service-networks.ts'
import type { Platform } from '../platform.ts'
import { portsOf } from '../store/ports.ts'

type Needs = Pick<Platform, 'table' | 'options'>
type Check = (platform: Needs, node: Node) => Promise<string | undefined>

/** What is wrong with a node for each kind of interface; those that are not here have nothing to check. */
const checks: Partial<Record<InterfaceKind, Check>> = {
  power: async ({ options }, node) =>
    hasAgentPower(node) && !fastTracks(node, options)
      ? 'Fast track mode must be enabled to use the agent power interface.'
      : checkDriverInfo(node.driver, node.driver_info),
  management: async (_, node) => checkDriverInfo(node.driver, node.driver_info),
  console: async (_, node) => checkConsole(node.console_interface, node.driver_info),
  boot: async (platform, node) => bootable(node, await portsOf(platform.table, node.uuid)),
  network: async (platform, node) =>
    reason(async () => {
      if (node.network_interface === 'neutron') await requireWired(platform, node)
      if (node.network_interface === 'flat') await serviceNetwork(platform, node, 'cleaning')
    }),
  storage: async ({ table }, node) => reason(() => bootVolumeOf(table, node)),
  deploy: async (platform, node) =>
    node.deploy_interface === 'fake' || node.deploy_interface === 'noop'
      ? missingTraits(node)
      : deployable(platform, withDeployInterface(node, platform.options)),
}

async function deployable(platform: Needs, node: Node): Promise<string | undefined> {
  return (
    bootable(node, await portsOf(platform.table, node.uuid)) ??
    (await reason(() => instanceOf(platform, node))) ??
    missingTraits(node)
  )
}

/** Its image, or what it boots. */
async function instanceOf({ table, options }: Needs, node: Node): Promise<unknown> {
  const { deploy_interface: deploy, boot_interface: boot, instance_info: info } = node
  if (deploy === 'ramdisk') return instanceRamdisk(info, boot)
  if (deploy === 'anaconda') return installer(info, boot)
  if (deploy === 'custom-agent') return undefined
  if (await bootVolumeOf(table, node)) return undefined
  if (deploy === 'bootc' || deploy === AUTODETECT) return bootcOf(await resolveImage(table, node, options), info)
  partitionsOf(node)
  return resolveImage(table, node, options)
}

export async function validateNode(platform: Needs, node: Node): Promise<Record<string, Validation>> {
  const shown = interfaceKinds.filter((kind) => kind !== 'vendor')
  const results = shown.map(async (kind) => [kind, await validateInterface(platform, node, kind)] as const)
  return Object.fromEntries(await Promise.all(results))
}

async function validateInterface(platform: Needs, node: Node, kind: InterfaceKind): Promise<Validation> {
  if (isAbsent(node[`${kind}_interface`])) return { result: null, reason: 'not supported' }
  const wrong = await checks[kind]?.(platform, node)
  return wrong === undefined ? { result: true } : { result: false, reason: wrong }
}

/** Refuses what the node can't do for want of something (reference §5.1). */
export async function requireValid(platform: Needs, node: Node, kinds: InterfaceKind[]): Promise<void> {
  for (const kind of kinds) {
    const wrong = await checks[kind]?.(platform, node)
    if (wrong !== undefined) throw new UserError(400, `Failed to validate ${kind} of node ${node.uuid}: ${wrong}`)
  }
}

function bootable(node: Node, ports: Port[]): string | undefined {
  if (node.boot_interface !== 'fake' && !ports.some(({ pxe_enabled }) => pxe_enabled))
    return `Node ${node.uuid} does not have any port associated with it that is enabled for PXE.`
  return reasonOf(() => machineOf(node, ports))
}

/** Traits that the instance asks for and the node lacks. */
function missingTraits({ instance_info: info, traits }: Node): string | undefined {
  const asked = info['traits']
  if (asked === undefined || asked === null) return undefined
  if (!Array.isArray(asked)) return 'instance_info/traits is not a list.'
  const missing = asked.filter((trait) => !traits.includes(trait as string))
  return missing.length === 0
    ? undefined
    : `Cannot specify instance traits that are not also set on the node. Missing: ${missing.join(', ')}`
}

async function reason(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

function reasonOf(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}
