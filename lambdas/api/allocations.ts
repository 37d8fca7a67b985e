import { z } from 'zod'
import { type Allocation, allocation as allocationSchema, hasTraits } from '../../contract/allocation.ts'
import { UserError } from '../../contract/api/faults.ts'
import { allowed } from '../../contract/policy.ts'
import { updatable } from '../../contract/provision-sets.ts'
import { jsonObject, type Node, uuid } from '../../contract/resources.ts'
import { claimed } from '../conductor/allocate.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { allocationsFor, allocationsIn, allocationStore } from '../store/allocations.ts'
import { changeNode } from '../store/change-node.ts'
import { getNode } from '../store/nodes.ts'
import { requireAllowed } from './authorization.ts'
import { namedNode } from './belonging.ts'
import type { Api, Call } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, shown, update } from './resource.ts'

const { name, owner, resource_class: resourceClass, traits } = allocationSchema.shape
const creation = z.strictObject({
  name: name.optional(),
  resource_class: resourceClass.optional(),
  candidate_nodes: z.array(z.string().max(255)).max(1000).nullish(),
  traits: traits.nullish(),
  extra: jsonObject.nullish(),
  node: z.string().max(255).nullish(),
  owner: owner.optional(),
  uuid: uuid.nullish(),
})

export const allocations: Resource<Allocation> = {
  title: 'Allocation',
  ident: { argument: 'allocation', named: 52 },
  table: 'allocations',
  path: 'allocations',
  store: allocationStore,
  fields: Object.keys(allocationSchema.shape).filter((field) => field !== 'version'),
  short: Object.keys(allocationSchema.shape),
  unsortable: ['extra', 'candidate_nodes', 'traits'],
  view: ({ version: _version, ...allocation }) => allocation,
}

export function allocationRoutes(app: Api, platform: Platform): void {
  const { table } = platform
  app.get('/v1/allocations', (call) => listed(call, platform))
  app.post('/v1/allocations', (call) => created(call, platform))
  app.get('/v1/allocations/:allocation', async (call) =>
    replyOne(call, allocations, await found(call, table, allocations, call.req.param('allocation'))),
  )
  app.patch('/v1/allocations/:allocation', (call) =>
    update(call, platform, allocations, call.req.param('allocation'), {
      schema: z.strictObject({ name, extra: jsonObject }),
      defaults: { name: null, extra: {} },
    }),
  )
  app.delete('/v1/allocations/:allocation', async (call) => {
    await release(platform, await found(call, table, allocations, call.req.param('allocation')))
    return call.body(null, 204)
  })
  app.get('/v1/nodes/:ident/allocation', async (call) =>
    replyOne(
      call,
      allocations,
      await ofNode(platform, await nodeOf(platform, call.req.param('ident'), call.var.minor)),
    ),
  )
  app.delete('/v1/nodes/:ident/allocation', async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const allocation = await ofNode(platform, node)
    await release(platform, allocation)
    return call.body(null, 204)
  })
}

async function listed(call: Call, platform: Platform): Promise<Response> {
  const { node: ident, resource_class: wanted, state } = call.req.query()
  const { caller } = call.var
  const all = allowed('baremetal:allocation:list_all', caller)
  const asked = call.req.query('owner')
  if (!all && asked !== undefined && asked !== caller.project?.id)
    throw new UserError(406, "Request not acceptable: 'owner' can only be your own project.")
  const of = all ? asked : (caller.project?.id ?? '')
  const node = ident === undefined ? undefined : await namedNode(call, platform, ident)
  return replyList(call, platform, allocations, {
    filters: ['node', 'resource_class', 'state', 'owner'],
    list: of === undefined ? (state === undefined ? undefined : allocationsIn(state)) : allocationsFor(of),
    keep: (allocation) =>
      (node === undefined || allocation.node_uuid === node.uuid) &&
      (wanted === undefined || allocation.resource_class === wanted) &&
      (state === undefined || allocation.state === state),
  })
}

const BACKFILL = 58

async function created(call: Call, platform: Platform): Promise<Response> {
  const given = owned(call, await creationOf(call, 'allocations', creation))
  const { node: backfilled, resource_class: wanted = null } = given
  if (backfilled && call.var.minor < BACKFILL)
    throw new UserError(400, 'Cannot set node when creating an allocation in this API version')
  const node = backfilled ? await namedNode(call, platform, backfilled) : undefined
  if (!node && wanted === null) throw new UserError(400, 'The resource_class field is mandatory when not backfilling')
  const candidates = await Promise.all((given.candidate_nodes ?? []).map((each) => namedNode(call, platform, each)))
  const allocation: Allocation = {
    // The uuid of a node that is in use already is its instance's.
    ...newborn(platform, given.uuid ?? node?.instance_uuid),
    name: given.name ?? null,
    node_uuid: null,
    state: 'allocating',
    last_error: null,
    resource_class: wanted ?? node?.resource_class ?? null,
    traits: given.traits ?? [],
    candidate_nodes: [...new Set(candidates.map((each) => each.uuid))],
    owner: given.owner ?? null,
    extra: given.extra ?? {},
  }
  return node ? backfill(call, platform, node, allocation) : create(call, platform, allocations, allocation)
}

/** Whoever acts in a project gets it for that project. */
function owned(call: Call, given: z.infer<typeof creation>): z.infer<typeof creation> {
  const { system, project } = call.var.caller
  if (system) return given
  if (given.owner && given.owner !== project?.id) requireAllowed(call, 'baremetal:allocation:create_restricted')
  return { ...given, owner: given.owner ?? project?.id ?? null }
}

/** An allocation for a node that has been active without one: both are written at once, or nothing is. */
async function backfill(call: Call, platform: Platform, node: Node, wanted: Allocation): Promise<Response> {
  const after = await changeNode(platform, node.uuid, async (before) => {
    const clash = await unfit(platform, before, wanted)
    if (clash) throw clash
    const { node: with_, writes } = claimed(platform, before, wanted)
    const [active] = writes.flatMap((write) => ('put' in write ? [write.put.value as Allocation] : []))
    const first = { ...(active as Allocation), version: 1, updated_at: null }
    return { node: { ...with_, instance_info: before.instance_info }, writes: allocationStore.writes(undefined, first) }
  })
  if (!after) throw noNode(node.uuid)
  const allocation = await found(call, platform.table, allocations, wanted.uuid)
  call.header('location', `${call.var.showing.base}/v1/allocations/${wanted.uuid}`)
  return call.json(shown(call, allocations, allocation), 201)
}

async function unfit(platform: Platform, node: Node, wanted: Allocation): Promise<UserError | undefined> {
  if (node.instance_uuid !== null && node.instance_uuid !== wanted.uuid)
    return new UserError(409, `Node ${node.uuid} is associated with instance ${node.instance_uuid}.`)
  if (node.allocation_uuid !== null)
    return new UserError(409, `Node ${node.uuid} already has allocation ${node.allocation_uuid}.`)
  if (await allocationStore.get(platform.table, wanted.uuid))
    return new UserError(409, `An allocation with UUID ${wanted.uuid} already exists.`)
  if (wanted.name !== null && (await allocationStore.find(platform.table, wanted.name)))
    return new UserError(409, `An allocation with name ${wanted.name} already exists.`)
  const wrong = [
    node.provision_state === 'active'
      ? undefined
      : `Node must be in the "active" state, but the current state is "${node.provision_state}"`,
    node.resource_class === wanted.resource_class
      ? undefined
      : `Resource class ${node.resource_class} does not match the requested resource class ${wanted.resource_class}`,
    hasTraits(node, wanted) ? undefined : `The node lacks some of the requested traits ${wanted.traits.join(', ')}`,
    wanted.candidate_nodes.length === 0 || wanted.candidate_nodes.includes(node.uuid)
      ? undefined
      : 'Candidate nodes must be empty or contain the target node',
  ].filter((each) => each !== undefined)
  return wrong.length === 0
    ? undefined
    : new UserError(400, `Cannot backfill an allocation for node ${node.uuid}: ${wrong.join('; ')}`)
}

async function ofNode({ table }: Platform, node: Node): Promise<Allocation> {
  const allocation = node.allocation_uuid === null ? undefined : await allocationStore.get(table, node.allocation_uuid)
  if (!allocation) throw new UserError(404, `Allocation for node ${node.uuid} was not found`)
  return allocation
}

const ATTEMPTS = 30

/** Ends an allocation; its node loses the instance, in the same transaction. */
async function release(platform: Platform, first: Allocation): Promise<void> {
  const { table } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const allocation = await allocationStore.get(table, first.uuid)
    if (!allocation) return
    const node = allocation.node_uuid === null ? undefined : await getNode(table, allocation.node_uuid)
    if (node?.allocation_uuid === allocation.uuid) {
      await changeNode(platform, node.uuid, (before) => {
        if (before.allocation_uuid !== allocation.uuid) return undefined
        refuse(before, allocation)
        return { node: { ...before, instance_uuid: null } }
      })
      return
    }
    try {
      await table.write(allocationStore.writes(allocation, undefined))
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error // it got its node meanwhile
    }
  }
  throw new UserError(409, `Allocation ${first.uuid} is being changed by many at once, please retry.`)
}

function refuse(node: Node, { uuid: of }: Allocation): void {
  if (node.maintenance) return
  const begin = `Cannot remove allocation ${of} for node ${node.uuid}, because the node is`
  if (node.target_provision_state !== null && !updatable.has(node.provision_state))
    throw new UserError(
      409,
      `${begin} in state ${node.provision_state} where updates are not allowed (and maintenance mode is off)`,
    )
  if (node.provision_state === 'active') throw new UserError(409, `${begin} active (and maintenance mode is off)`)
}
