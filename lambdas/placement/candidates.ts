import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import type { Table } from '../platform.ts'
import { type FreeNode, freeNodes } from '../store/free-nodes.ts'
import { readCounts } from '../store/node-counts.ts'
import { getNode } from '../store/nodes.ts'
import { demandOf, meets } from './demand.ts'
import { membership } from './membership.ts'
import { PATH } from './path.ts'
import { classesOf, resourcesOf, usagesOf } from './provider.ts'

const MOST = 1000

/** Nodes that a request could have, the best first, as the scheduler reads them. */
export function candidateRoutes(app: Service, { table, ids }: Ground): void {
  app.get(`${PATH}/allocation_candidates`, async (call) => {
    requireAdmin(call, 'placement:allocation_candidates:list')
    const demand = demandOf(call.req.queries())
    const [resourceClass] = Object.keys(demand.resources)
    if (resourceClass === undefined) throw new UserError(400, 'resources is required: CUSTOM_CLASS:1.')
    const limit = Number(call.req.query('limit') ?? MOST)
    if (!Number.isInteger(limit) || limit < 1) throw new UserError(400, 'limit is a number of candidates, 1 or more.')
    const aggregates = await membership(table)
    const found: Node[] = []
    for await (const { uuid } of freeInOrder(table, resourceClass, ids.uuid())) {
      const node = await getNode(table, uuid)
      if (node && meets(node, demand, aggregates(node))) found.push(node)
      if (found.length >= Math.min(limit, MOST)) break
    }
    const { minor } = call.var
    const mappings = (node: Node) => (minor >= 34 ? { mappings: { '': [node.uuid] } } : {})
    const requests = found.map((node) => ({
      allocations:
        minor >= 12
          ? { [node.uuid]: { resources: resourcesOf(node) } }
          : [{ resource_provider: { uuid: node.uuid }, resources: resourcesOf(node) }],
      ...mappings(node),
    }))
    return call.json({
      allocation_requests: requests,
      provider_summaries: Object.fromEntries(found.map((node) => [node.uuid, summary(node, minor)])),
    })
  })
}

/** The best first. A kind's name says its class and then how good it is. */
async function* freeInOrder(table: Table, resourceClass: string, seed: string): AsyncGenerator<FreeNode> {
  const places = [...(await readCounts(table, null))].flatMap(([site, counts]) =>
    Object.keys(counts).flatMap((kind) => (kind.startsWith(`${resourceClass}#`) ? [{ site, kind }] : [])),
  )
  for (const { site, kind } of places.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)))
    yield* freeNodes(table, site, kind, seed)
}

function summary(node: Node, minor: number) {
  const used = usagesOf(node)
  return {
    resources: Object.fromEntries(classesOf(node).map((name) => [name, { capacity: 1, used: used[name] ?? 0 }])),
    ...(minor >= 17 ? { traits: node.traits } : {}),
    ...(minor >= 29 ? { parent_provider_uuid: null, root_provider_uuid: node.uuid } : {}),
  }
}
