import { UserError } from '../../contract/api/faults.ts'
import { parsePatch, patchedRoots } from '../../contract/api/patch.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { briefView, nodeListFields, nodeView } from '../../contract/api/views.ts'
import { fieldSince, parameterSince } from '../../contract/api/matrix.ts'
import { allowed, patchRules } from '../../contract/policy.ts'
import { deletable } from '../../contract/provision-sets.ts'
import { type Node, node as nodeSchema } from '../../contract/resources.ts'
import { toldOfChange } from '../conductor/keeper.ts'
import { createNode, deleteNode } from '../store/change-node.ts'
import { briefFields, type BriefNode, isBusy, listBriefNodes, listNodes, nodeOfInstance } from '../store/nodes.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { readJson } from './body.ts'
import { isVisible, requireAllowed } from './authorization.ts'
import { changeAsked } from './change.ts'
import type { Api, Call } from './context.ts'
import { requireMatch, tagged } from './etag.ts'
import { nodeOf, requireIdent } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'
import { requireVersion } from './microversion.ts'
import { newNode } from './node-create.ts'
import { conductorFilter, nodeQuery, requireChassis, type NodeQuery } from './node-filters.ts'
import { nodeCreation, type NodeCreation } from './node-input.ts'
import { updatedNode } from './node-update.ts'
import { redacted } from './redact.ts'
import { settled } from './settle.ts'
import { collection, fieldsOf, flag, onlyKnown, paging, shape, singular } from './query.ts'

export function nodeRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes', (call) => listed(call, platform, false, 'nodes'))
  app.get('/v1/nodes/detail', (call) => listed(call, platform, true, 'nodes'))
  app.post('/v1/nodes', (call) => create(call, platform))
  app.get('/v1/nodes/:ident', (call) => show(call, platform))
  app.patch('/v1/nodes/:ident', (call) => update(call, platform))
  app.delete('/v1/nodes/:ident', (call) => remove(call, platform))
}

const known = [
  ...Object.keys(nodeSchema.shape),
  'reservation',
  'conductor',
  'links',
  'ports',
  'states',
  'portgroups',
  'volume',
  'operation',
]
/** Objects and lists, and what is worked out for each reply, have no order. */
const unsortable = [
  'properties',
  'driver_info',
  'extra',
  'instance_info',
  'driver_internal_info',
  'clean_step',
  'deploy_step',
  'service_step',
  'raid_config',
  'target_raid_config',
  'traits',
  'network_data',
  'reservation',
  'conductor',
  'links',
  'ports',
  'states',
  'portgroups',
  'volume',
  'operation',
  'version',
  'generation',
  'power_operation',
  'keeper',
  'deadline',
  'config_drive',
  'boot_device',
]
const sortable = known.filter((field) => !unsortable.includes(field))
const sorting = (name: string) => ({ name, by: (node: BriefNode) => (node as Node)[name as keyof Node] })
const SIZE_LIMIT = 256 * 1024

export function nodesOfChassis(call: Call, platform: Platform, chassis: string, detailed: boolean): Promise<Response> {
  return listed(call, platform, detailed, `chassis/${chassis}/nodes`, (node) => node.chassis_uuid === chassis)
}

async function listed(
  call: Call,
  platform: Platform,
  detailed: boolean,
  path: string,
  only?: (node: BriefNode) => boolean,
): Promise<Response> {
  requireVersion(call, parameterSince.nodes, Object.keys(call.req.query()))
  const { fields, cut } = shape(call, known, nodeListFields, detailed)
  requireVersion(call, fieldSince.nodes, call.req.query('fields') === undefined ? [] : (fields ?? []))
  const { by, keep: asked, instance, whole } = onlyVisible(call, nodeQuery(call))
  await requireChassis(call, platform)
  const ofConductor = await conductorFilter(call, platform)
  const keep = (node: BriefNode): boolean =>
    (only?.(node) ?? true) && (asked?.(node) ?? true) && (ofConductor?.(node as Node) ?? true)
  const { limit, marker, descending, sort } = paging(call, sortable)
  requireVersion(call, fieldSince.nodes, sort === undefined ? [] : [sort])
  if (marker !== undefined) requireIdent(marker, 'marker', false)
  const after = marker === undefined ? undefined : await nodeOf(platform, marker, call.var.minor)
  const page = { limit, after, descending, keep, sort: sort === undefined ? undefined : sorting(sort) }
  const all = whole || ofConductor !== undefined || call.var.ours || !inBrief([...(fields ?? known), sort ?? 'uuid'])
  if (!all && instance === undefined) {
    const found = await listBriefNodes(platform.table, by, page)
    const views = found.values.map((node) => briefView(node, call.var.showing, fields ?? []))
    return call.json(collection(call, 'nodes', path, views, found.marker?.uuid))
  }
  const found =
    instance === undefined
      ? await listNodes(platform.table, by, page)
      : {
          values: [await nodeOfInstance(platform.table, instance)].filter(
            (node) => node !== undefined && isVisible(call, node),
          ) as Node[],
          marker: undefined,
        }
  const holders = holderLookup(platform)
  const needsHolders = fields === undefined || fields.some((name) => name === 'reservation' || name === 'conductor')
  const views = found.values.map(async (node) =>
    cut(shown(call, node, needsHolders ? await holders(node) : { reservation: null, conductor: null }, fields)),
  )
  return call.json(collection(call, 'nodes', path, await Promise.all(views), found.marker?.uuid))
}

const inBrief = (fields: readonly string[]): boolean =>
  fields.every((field) => field === 'links' || briefFields.some((each) => each === field))

/** Who may not list all gets those of their project. */
function onlyVisible(call: Call, query: NodeQuery): NodeQuery {
  const { caller } = call.var
  if (allowed('baremetal:node:list_all', caller)) return query
  const project = call.req.query('project')
  if (project !== undefined && project !== caller.project?.id) requireAllowed(call, 'baremetal:node:list_all')
  return { ...query, keep: (node) => isVisible(call, node) && (query.keep?.(node) ?? true) }
}

function shown(
  call: Call,
  node: Node,
  holders: Parameters<typeof nodeView>[1],
  only?: readonly string[],
): Record<string, unknown> {
  const { showing, caller, ours } = call.var
  const view = redacted(nodeView(node, holders, showing, only), caller, node)
  return ours ? { ...view, operation: node.operation ?? node.power_operation } : view
}

async function whole(call: Call, platform: Platform, node: Node): Promise<Record<string, unknown>> {
  return shown(call, node, await holderLookup(platform)(node))
}

async function create(call: Call, platform: Platform): Promise<Response> {
  const body = (await readJson(call)) ?? {}
  if (typeof body === 'object' && body !== null) requireVersion(call, fieldSince.nodes, Object.keys(body))
  const node = await newNode(platform, owned(call, parseAs('node', nodeCreation, body)), call.var.minor)
  refuseLarge(node)
  await createNode(platform, node)
  platform.log.info(
    { node: node.uuid, name: node.name, site: node.conductor_group, driver: node.driver },
    'node created',
  )
  call.header('location', `${call.var.showing.base}/v1/nodes/${node.uuid}`)
  return tagged(call, node, await whole(call, platform, node), 201)
}

/** A project's administrator enrols nodes for that project. */
function owned(call: Call, given: NodeCreation): NodeCreation {
  if (allowed('baremetal:node:create', call.var.caller)) return given
  const project = call.var.caller.project?.id ?? null
  if (given.owner && given.owner !== project)
    throw new UserError(
      400,
      'Cannot create a node as a project scoped admin with an owner other than your own project.',
    )
  return { ...given, owner: project }
}

async function show(call: Call, platform: Platform): Promise<Response> {
  const fields = call.req.url.includes('?') ? fieldsAsked(call) : undefined
  const node = await nodeOf(platform, ident(call), call.var.minor)
  const view = await whole(call, platform, node)
  if (!fields) return tagged(call, node, view)
  return tagged(
    call,
    node,
    Object.fromEntries(Object.entries(view).filter(([key]) => ['links', 'operation', ...fields].includes(key))),
  )
}

function fieldsAsked(call: Call): readonly string[] | undefined {
  onlyKnown(call, [], singular)
  requireVersion(call, parameterSince.nodes, Object.keys(call.req.query()))
  const fields = fieldsOf(call, known, (unknown) => `Field ${unknown.join(', ')} is not a valid field.`)
  requireVersion(call, fieldSince.nodes, fields ?? [])
  return fields
}

async function update(call: Call, platform: Platform): Promise<Response> {
  const patch = parsePatch(await readJson(call))
  requireVersion(call, fieldSince.nodes, patchedRoots(patch))
  const { minor } = call.var
  const reset = call.req.query('reset_interfaces')
  if (reset !== undefined) requireVersion(call, { reset_interfaces: 45 }, ['reset_interfaces'])
  const resetInterfaces = flag('reset_interfaces', reset) ?? false
  const rules = patchRules(patchedRoots(patch))
  const { uuid } = await nodeOf(platform, ident(call), minor)
  const after = await changeAsked(call, platform, uuid, async (node) => {
    for (const rule of rules) requireAllowed(call, rule, node)
    const changed = await updatedNode(platform, node, { patch, minor, resetInterfaces })
    if (changed.automated_clean === false && node.automated_clean !== false)
      requireAllowed(call, 'baremetal:node:disable_cleaning', node)
    if (changed.owner !== node.owner && node.provision_state === 'active') refuseOwner(call, node)
    refuseLarge(changed)
    return toldOfChange(platform, node, changed)
  })
  return tagged(call, after, await whole(call, platform, after))
}

/** A machine that is in use changes hands by the system's administrators alone. */
function refuseOwner(call: Call, node: Node): void {
  if (!allowed('baremetal:node:update_owner_provisioned', call.var.caller, node))
    throw new UserError(409, `Cannot update owner of node "${node.uuid}" while it is in state "active".`)
}

async function remove(call: Call, platform: Platform): Promise<Response> {
  const node = await settled(platform, await nodeOf(platform, ident(call), call.var.minor))
  requireMatch(call, `Node ${node.uuid}`, node)
  if (node.protected)
    throw new UserError(403, `Node ${node.uuid} is protected and cannot be undeployed, rebuilt or deleted.`)
  if (node.instance_uuid !== null && !node.maintenance)
    throw new UserError(409, `Node ${node.uuid} is associated with instance ${node.instance_uuid}.`)
  if (isBusy(node) && !node.maintenance)
    throw new UserError(409, lockedText(node, (await holderLookup(platform)(node)).reservation))
  if (!deletable.has(node.provision_state) && !node.maintenance)
    throw new UserError(
      409,
      `Can not delete node "${node.uuid}" while it is in provision state "${node.provision_state}". Valid provision states to perform deletion are: "(${[...deletable].map((each) => `'${each}'`).join(', ')})", or set the node into maintenance mode`,
    )
  try {
    await deleteNode(platform, node)
  } catch (error) {
    if (error instanceof ConflictError)
      throw new UserError(409, `Node ${node.uuid} was changed at the same moment, please retry.`)
    throw error
  }
  platform.log.info({ node: node.uuid, name: node.name, site: node.conductor_group }, 'node deleted')
  return call.body(null, 204)
}

function refuseLarge(node: Node): void {
  if (Buffer.byteLength(JSON.stringify(node)) > SIZE_LIMIT)
    throw new UserError(400, `All of a node's attributes together may have ${SIZE_LIMIT / 1024} KiB.`)
}

function ident(call: Call): string {
  return call.req.param('ident') ?? ''
}
