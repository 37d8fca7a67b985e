import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { ProvisionState } from '../../contract/provision.ts'
import type { Platform } from '../platform.ts'
import { baremetalOf } from './baremetal.ts'

/** Where a node may be torn down (reference §5.7: what Nova's driver does). */
const tearable = new Set<ProvisionState>([
  'active',
  'deploy failed',
  'error',
  'wait call-back',
  'deploy hold',
  'inspect failed',
  'rescue',
  'rescue failed',
  'rescue wait',
  'unrescue failed',
  'service failed',
])
/** Where it has not been deployed yet, or is no more. */
const untouched = new Set<ProvisionState>(['available', 'manageable', 'enroll'])

/** One that could not be torn down is not tried again at once: the clock brings its server here again. */
const AGAIN_MS = 60_000
function isRested({ provision_state: state, updated_at: at }: Node, now: Date): boolean {
  return state !== 'error' || at === null || now.getTime() - Date.parse(at) >= AGAIN_MS
}

/** Has the node torn down, if it was begun with. True: the server has no node any more. */
export async function leaveNode(platform: Platform, { uuid }: Server, node: Node | undefined): Promise<boolean> {
  if (!node) return true
  const { nodes } = baremetalOf(platform)
  if (untouched.has(node.provision_state)) {
    await nodes.patch(node.uuid, [
      { op: 'remove', path: '/instance_uuid' },
      ...(Object.keys(node.instance_info).length > 0
        ? [{ op: 'replace' as const, path: '/instance_info', value: {} }]
        : []),
    ])
    platform.log.info({ server: uuid, node: node.uuid }, 'node given back')
    return true
  }
  if (!tearable.has(node.provision_state) || !isRested(node, platform.clock.now())) return false
  if (node.console_enabled) await nodes.setConsole(node.uuid, { enabled: false })
  await nodes.provision(node.uuid, 'deleted')
  return false
}
