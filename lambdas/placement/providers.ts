import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { traitName } from '../../contract/stored.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { changeNode } from '../store/change-node.ts'
import { findNode, getNode, nodeList } from '../store/nodes.ts'
import { valuesIn } from '../store/paging.ts'
import { demandOf, meets } from './demand.ts'
import { membership } from './membership.ts'
import { PATH } from './path.ts'
import { inventoriesOf, providerView, resourcesOf, usagesOf } from './provider.ts'

const MOST_TRAITS = 50
const traits = z.strictObject({
  resource_provider_generation: z.int(),
  traits: z.array(traitName).max(MOST_TRAITS),
})

/** Resource providers are the nodes: made, changed and deleted as such, but for their traits, which may be written here too. */
export function providerRoutes(app: Service, ground: Ground): void {
  const { table, log } = ground
  const path = `${PATH}/resource_providers`
  app.get(path, async (call) => {
    requireAdmin(call, 'placement:resource_providers:list')
    const query = call.req.queries()
    const demand = demandOf(query)
    const { name, uuid } = call.req.query()
    const aggregates = await membership(table)
    const found: object[] = []
    for await (const node of candidates(uuid ?? name ?? demand.tree))
      if (meets(node, demand, aggregates(node))) found.push(providerView(call.var.base, call.var.minor, node))
    return call.json({ resource_providers: found })
  })
  const shown = (of: string, view: (node: Node, call: Call) => object | Promise<object>) =>
    app.get(`${path}/:provider${of}`, async (call) => {
      requireAdmin(call, 'placement:resource_providers:show')
      return call.json(await view(await providerOf(ground, call.req.param('provider') ?? ''), call))
    })
  const generation = ({ version: resource_provider_generation }: Node) => ({ resource_provider_generation })
  shown('', (node, call) => providerView(call.var.base, call.var.minor, node))
  shown('/inventories', (node) => ({ inventories: inventoriesOf(node), ...generation(node) }))
  shown('/inventories/:class', (node, call) => {
    const inventory = inventoriesOf(node)[call.req.param('class') ?? '']
    if (!inventory) throw new UserError(404, `No inventory of class ${call.req.param('class')} for ${node.uuid}`)
    return { ...inventory, ...generation(node) }
  })
  shown('/usages', (node) => ({ usages: usagesOf(node), ...generation(node) }))
  shown('/traits', (node) => ({ traits: node.traits, ...generation(node) }))
  shown('/aggregates', async (node, call) => ({
    aggregates: (await membership(table))(node),
    ...(call.var.minor >= 19 ? generation(node) : {}),
  }))
  shown('/allocations', (node) => ({
    allocations: node.instance_uuid === null ? {} : { [node.instance_uuid]: { resources: resourcesOf(node) } },
    ...generation(node),
  }))
  app.put(`${path}/:provider/traits`, async (call) => {
    requireAdmin(call, 'placement:resource_providers:traits:update')
    const given = traits.parse(await readJson(call))
    const after = await writeTraits(call, given.traits, given.resource_provider_generation)
    return call.json({ traits: after.traits, ...generation(after) })
  })
  app.delete(`${path}/:provider/traits`, async (call) => {
    requireAdmin(call, 'placement:resource_providers:traits:delete')
    await writeTraits(call, [], undefined)
    return call.body(null, 204)
  })
  app.on(['POST', 'PUT', 'DELETE'], [path, `${path}/*`], () => {
    throw new UserError(
      400,
      'Resource providers are nodes: `openstack baremetal node create`, set (resource_class) and delete change them, `openstack aggregate add host` puts them into aggregates; traits may be written here.',
    )
  })

  async function* candidates(ident: string | undefined): AsyncGenerator<Node> {
    if (ident === undefined) return yield* valuesIn<Node>(table, nodeList({}))
    const node = await findNode(table, ident)
    if (node) yield node
  }

  async function writeTraits(call: Call, wanted: string[], expected: number | undefined): Promise<Node> {
    const { uuid } = await providerOf(ground, call.req.param('provider') ?? '')
    const after = await changeNode(ground, uuid, (node) => {
      if (expected !== undefined && node.version !== expected)
        throw new UserError(
          409,
          `Resource provider ${uuid}: its generation is ${node.version}, not ${expected}: read it again.`,
        )
      return { node: { ...node, traits: [...new Set(wanted)].sort() } }
    })
    if (!after) throw noProvider(uuid)
    log.info({ node: uuid, traits: after.traits, user: call.var.caller.user?.id }, 'traits changed')
    return after
  }
}

export async function providerOf({ table }: Pick<Ground, 'table'>, uuid: string): Promise<Node> {
  const node = await getNode(table, uuid.toLowerCase())
  if (!node) throw noProvider(uuid)
  return node
}

const noProvider = (uuid: string): UserError =>
  new UserError(404, `No resource provider with uuid ${uuid.slice(0, 64)} found : there is no such node.`)
