import type { Client } from '../../contract/api/client.ts'
import type { NodeView } from '../../contract/api/views.ts'
import { isTransient } from '../../contract/provision.ts'

const WITHIN_MS = 60_000

/** The node of this name when nothing is left to do for its site; undefined: there is none. */
export async function rested(client: Client, name: string): Promise<NodeView | undefined> {
  const until = Date.now() + WITHIN_MS
  for (;;) {
    const node = (await client.nodes.list({ detail: true })).find((each) => each.name === name)
    if (!node || (node.target_power_state === null && !isTransient(node.provision_state ?? 'available'))) return node
    if (Date.now() > until)
      throw new Error(`${name} does not come to rest: ${node.provision_state}, ${JSON.stringify(node.operation)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
