import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { nodeList } from '../store/nodes.ts'
import { items } from '../store/paging.ts'
import type { Api } from './context.ts'

/** How many nodes each shard has, the largest first. Those without one count under the word None. */
export function shardRoutes(app: Api, { table }: Platform): void {
  app.get('/v1/shards', async (call) => {
    const counts = new Map<string, number>()
    for await (const { value } of items(table, nodeList({}))) {
      const name = (value as Node).shard ?? 'None'
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const shards = [...counts].map(([name, count]) => ({ name, count }))
    return call.json({ shards: shards.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)) })
  })
}
