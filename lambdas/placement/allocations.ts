import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import { serversFor, serverStore } from '../compute/store.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { requireAdmin, seesAll } from '../openstack/rights.ts'
import { getNode, nodeOfInstance } from '../store/nodes.ts'
import { all } from '../store/paging.ts'
import { PATH } from './path.ts'
import { resourcesOf } from './provider.ts'

/** Who has which node: what is on it says so, and nothing else. */
export function allocationRoutes(app: Service, { table }: Ground): void {
  const path = `${PATH}/allocations`
  app.get(`${path}/:consumer`, async (call) => {
    requireAdmin(call, 'placement:allocations:list')
    const consumer = call.req.param('consumer')
    const node = await nodeOfInstance(table, consumer)
    if (!node) return call.json({ allocations: {} })
    const server = await serverStore.get(table, consumer)
    const { minor } = call.var
    return call.json({
      allocations: { [node.uuid]: { resources: resourcesOf(node), generation: node.version } },
      ...(minor >= 12
        ? {
            project_id: server?.project_id ?? node.lessee ?? node.owner ?? 'unknown',
            user_id: server?.user_id ?? 'unknown',
          }
        : {}),
      ...(minor >= 28 ? { consumer_generation: node.version } : {}),
      ...(minor >= 38 ? { consumer_type: 'INSTANCE' } : {}),
    })
  })
  app.get(`${PATH}/usages`, async (call) => {
    const { project_id: project = '', user_id: user } = call.req.query()
    if (project === '') throw new UserError(400, 'project_id is required: whose usage shall it be?')
    if (project !== call.var.caller.project?.id && !seesAll(call))
      throw new UserError(403, "Policy doesn't allow placement:usages to be performed.")
    const usages: Record<string, number> = {}
    for (const server of await all<Server>(table, serversFor(project))) {
      const node: Node | undefined = server.node === null ? undefined : await getNode(table, server.node)
      if (!node || (user !== undefined && server.user_id !== user)) continue
      for (const [name, count] of Object.entries(resourcesOf(node))) usages[name] = (usages[name] ?? 0) + count
    }
    if (call.var.minor < 38) return call.json({ usages })
    const consumers = Object.keys(usages).length === 0 ? {} : { INSTANCE: { ...usages } }
    return call.json({ usages: consumers })
  })
  app.on(['POST', 'PUT', 'DELETE'], [path, `${path}/*`, `${PATH}/reshaper`], () => {
    throw new UserError(
      400,
      'Allocations follow from what is on nodes: `openstack server create` and delete, or `openstack baremetal allocation create` and delete, change them.',
    )
  })
}
