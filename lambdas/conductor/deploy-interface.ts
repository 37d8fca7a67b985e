import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { AUTODETECT, type Detectable } from '../../contract/hardware.ts'
import type { Node } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { isGiven } from './instance-ramdisk.ts'

/** Deploy interface `autodetect` (reference §5.2): at each deploy the node gets the one that it stands for, until it is torn down. Whether an
 * image of a registry is a disk or a container that boots is seen only by its site; such a node keeps `autodetect`. */

type Info = Record<string, unknown>
type Options = Pick<ConductorOptions, 'autodetect_deploy_interfaces'>

/** The node as it is deployed. What an earlier deploy chose counts for nothing. */
export function withDeployInterface(node: Node, { autodetect_deploy_interfaces: order }: Options): Node {
  const before = withoutDeployInterface(node)
  if (before.deploy_interface !== AUTODETECT) return node
  const chosen = detected(before.instance_info, order)
  if (chosen === AUTODETECT) return before
  const driver_internal_info = { ...before.driver_internal_info, original_deploy_interface: AUTODETECT }
  return { ...before, deploy_interface: chosen, driver_internal_info }
}

/** As it was before its deploy. */
export function withoutDeployInterface(node: Node): Node {
  const { original_deploy_interface: original, ...driver_internal_info } = node.driver_internal_info
  return original === AUTODETECT ? { ...node, deploy_interface: AUTODETECT, driver_internal_info } : node
}

/** The first that supports it; the last without being asked. */
function detected(info: Info, [first, ...others]: readonly Detectable[]): Detectable | typeof AUTODETECT {
  if (others.length === 0) return first ?? 'direct'
  if (first === 'bootc' && isOfRegistry(info)) return detected(info, others) === 'direct' ? AUTODETECT : 'bootc'
  return first !== undefined && supports[first](info) ? first : detected(info, others)
}

const supports: Record<Detectable, (info: Info) => boolean> = {
  ramdisk: (info) =>
    boolean.catch(false).parse(info['ironic_ramdisk_deploy']) &&
    (isGiven(info['boot_iso']) || (isGiven(info['kernel']) && isGiven(info['ramdisk']))),
  bootc: isOfRegistry,
  direct: (info) => isGiven(info['image_source']),
}

function isOfRegistry({ image_source: source }: Info): boolean {
  return typeof source === 'string' && source.startsWith('oci://')
}
