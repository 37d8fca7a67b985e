import type { InspectionPost } from '../../contract/agent.ts'
import { fitting, fittingBeside } from './inventory-size.ts'

/** What ramdisks found out about their machines and posted by themselves, until the plan that waits for it takes it. In memory only: after
 * a crash of this appliance the agent is asked instead. */
export interface PostedInventories {
  /** A plan of inspection is open for this node. */
  expects(node: string): boolean
  put(node: string, post: InspectionPost): void
  take(node: string): Posted | undefined
}
export interface Posted {
  inventory: Record<string, unknown>
  plugin_data: Record<string, unknown>
}

const MOST = 1000

/** `expects`: as above, whatever was posted. Throws HardwareError where it is more than can be told to the cloud. */
export function postedInventories(expects: (node: string) => boolean): PostedInventories {
  const posted = new Map<string, Posted>()
  return {
    expects,
    put(node, { inventory, ...plugin_data }) {
      const least = fitting(inventory)
      posted.delete(node)
      posted.set(node, { inventory: least, plugin_data: fittingBeside(least, plugin_data) })
      const [oldest] = posted.keys()
      if (posted.size > MOST && oldest !== undefined) posted.delete(oldest)
    },
    take(node) {
      const found = posted.get(node)
      posted.delete(node)
      return found
    },
  }
}
