import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { applyPatch, parsePatch, patchedRoots } from '../../contract/api/patch.ts'
import { portListFields, portView } from '../../contract/api/views.ts'
import { fieldSince } from '../../contract/api/matrix.ts'
import { allowed } from '../../contract/policy.ts'
import { jsonObject, type Node, type Port, port as portSchema, uuid } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { deletePort, getPort, listPorts, portOfMac, PORTS_PER_NODE, portsOf, savePort } from '../store/ports.ts'
import { readJson } from './body.ts'
import { isVisible, requireAllowed } from './authorization.ts'
import type { Api, Call } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { requireVersion } from './microversion.ts'
import { collection, fieldsOf, onlyKnown, paging, shape } from './query.ts'

export function portRoutes(app: Api, platform: Platform): void {
  app.get('/v1/ports', (call) => listed(call, platform, 'ports', false))
  app.get('/v1/ports/detail', (call) => listed(call, platform, 'ports', true))
  app.post('/v1/ports', (call) => create(call, platform))
  app.get('/v1/ports/:ident', (call) => show(call, platform, call.req.param('ident')))
  app.patch('/v1/ports/:ident', (call) => update(call, platform, call.req.param('ident')))
  app.delete('/v1/ports/:ident', async (call) => {
    const port = await portOf(platform, call.req.param('ident'))
    await requireStill(platform, port.node_uuid)
    await deletePort(platform.table, port)
    return call.body(null, 204)
  })
  for (const detailed of [false, true])
    app.get(`/v1/nodes/:ident/ports${detailed ? '/detail' : ''}`, async (call) => {
      const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
      return listed(call, platform, `nodes/${node.uuid}/ports`, detailed, node.uuid)
    })
}

const address = z
  .string()
  .transform((text) => text.toLowerCase().replaceAll('-', ':'))
  .pipe(portSchema.shape.address)
const writable = {
  address,
  name: z.string().min(1).max(255).nullable().optional(),
  description: z.string().max(255).nullable().optional(),
  extra: jsonObject.optional(),
  local_link_connection: jsonObject.optional(),
  pxe_enabled: z.boolean().optional(),
  physical_network: z.string().max(64).nullable().optional(),
  is_smartnic: z.boolean().optional(),
  vendor: z.string().max(32).nullable().optional(),
  category: z.string().max(80).nullable().optional(),
  available_for_dynamic_portgroup: z.boolean().optional(),
}
const creation = z.strictObject({
  ...writable,
  uuid: uuid.optional(),
  node_uuid: uuid.optional(),
  node_ident: z.string().max(255).optional(),
})
const updateSchema = z.strictObject(writable)
const blank = {
  name: null,
  description: null,
  extra: {},
  local_link_connection: {},
  pxe_enabled: true,
  physical_network: null,
  is_smartnic: false,
  vendor: null,
  category: null,
  available_for_dynamic_portgroup: true,
}
const known = [...Object.keys(portSchema.shape), 'links']

async function listed(
  call: Call,
  platform: Platform,
  path: string,
  detailed: boolean,
  node?: string,
): Promise<Response> {
  onlyKnown(call, ['node', 'node_uuid', 'address', 'description_contains'])
  const { fields, cut } = shape(call, known, portListFields, detailed)
  requireVersion(call, fieldSince.ports, call.req.query('fields') === undefined ? [] : (fields ?? []))
  const { limit, marker, descending } = paging(call)
  const after = marker === undefined ? undefined : await portOf(platform, marker)
  const { node: ident, node_uuid: ofNode = ident, address: mac, description_contains: words } = call.req.query()
  const owner = node ?? (ofNode === undefined ? undefined : (await visibleNode(call, platform, ofNode)).uuid)
  const found =
    mac === undefined
      ? await listPorts(platform.table, { node: owner, limit, after, descending, keep: containing(words) })
      : { values: await withAddress(platform, mac, owner), marker: undefined }
  const views = (await visibleOf(call, platform, found.values)).map((port) => cut(portView(port, call.var.showing)))
  return call.json(collection(call, 'ports', path, views, found.marker?.uuid))
}

async function visibleNode(call: Call, platform: Platform, ident: string): Promise<Node> {
  const node = await nodeOf(platform, ident, call.var.minor)
  if (!isVisible(call, node)) throw noNode(ident)
  return node
}

/** Who may not list all gets those of nodes that they see: of a page there may be few. */
async function visibleOf(call: Call, { table }: Platform, ports: Port[]): Promise<Port[]> {
  if (allowed('baremetal:port:list_all', call.var.caller)) return ports
  const uuids = [...new Set(ports.map(({ node_uuid: uuid }) => uuid))]
  const nodes = await Promise.all(uuids.map((uuid) => getNode(table, uuid)))
  const seen = new Set(nodes.flatMap((node) => (node && isVisible(call, node) ? [node.uuid] : [])))
  return ports.filter(({ node_uuid: uuid }) => seen.has(uuid))
}

function containing(words: string | undefined): ((port: Port) => boolean) | undefined {
  if (words === undefined) return undefined
  return ({ description }) => description?.toLowerCase().includes(words.toLowerCase()) === true
}

async function withAddress({ table }: Platform, mac: string, node: string | undefined): Promise<Port[]> {
  const port = await portOfMac(table, address.parse(mac))
  return port && (node === undefined || port.node_uuid === node) ? [port] : []
}

async function create(call: Call, platform: Platform): Promise<Response> {
  const body = await readJson(call)
  if (typeof body === 'object' && body !== null) requireVersion(call, fieldSince.ports, Object.keys(body))
  const { node_uuid: ofNode, node_ident: ident = ofNode, uuid: own, ...given } = creation.parse(body)
  if (ident === undefined) throw new UserError(400, 'Schema error for port: node_uuid is required.')
  const node = await owner(call, platform, ident)
  requireAllowed(call, 'baremetal:port:create', node)
  if ((await portsOf(platform.table, node.uuid)).length >= PORTS_PER_NODE)
    throw new UserError(400, `Node ${node.uuid} already has ${PORTS_PER_NODE} ports, the most there may be.`)
  const port: Port = {
    ...blank,
    ...given,
    uuid: own ?? platform.ids.uuid(),
    node_uuid: node.uuid,
    portgroup_uuid: null,
    internal_info: {},
    created_at: platform.clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  await savePort(platform.table, undefined, port)
  platform.log.info({ node: node.uuid, port: port.uuid, address: port.address }, 'port created')
  call.header('location', `${call.var.showing.base}/v1/ports/${port.uuid}`)
  return call.json(portView(port, call.var.showing), 201)
}

/** The node of a new port: that it is unknown is the body's fault, not the path's. */
async function owner(call: Call, platform: Platform, ident: string): Promise<Node> {
  try {
    return await visibleNode(call, platform, ident)
  } catch (error) {
    if (error instanceof UserError) throw new UserError(400, error.message)
    throw error
  }
}

async function show(call: Call, platform: Platform, ident: string): Promise<Response> {
  const fields = fieldsOf(call, known)
  requireVersion(call, fieldSince.ports, fields ?? [])
  const view = portView(await portOf(platform, ident), call.var.showing)
  if (!fields) return call.json(view)
  return call.json(Object.fromEntries(Object.entries(view).filter(([key]) => key === 'links' || fields.includes(key))))
}

async function update(call: Call, platform: Platform, ident: string): Promise<Response> {
  const patch = parsePatch(await readJson(call))
  requireVersion(call, fieldSince.ports, patchedRoots(patch))
  for (;;) {
    const port = await portOf(platform, ident)
    await requireStill(platform, port.node_uuid)
    const document = Object.fromEntries(Object.keys(writable).map((field) => [field, port[field as keyof Port]]))
    const defaults = { address: undefined, ...blank }
    const changes = updateSchema.parse(applyPatch(document, patch, { defaults, escapes: call.var.minor >= 98 }))
    const after: Port = {
      ...port,
      ...changes,
      updated_at: platform.clock.now().toISOString(),
      version: port.version + 1,
    }
    if (await savePort(platform.table, port, after)) return call.json(portView(after, call.var.showing))
  }
}

/** While machines boot by it, a port stays as it is. */
async function requireStill(platform: Platform, node: string): Promise<void> {
  const found = await getNode(platform.table, node)
  if (found?.operation && !found.maintenance)
    throw new UserError(
      409,
      `Node ${node} is ${found.provision_state}: its ports can't be changed until the current operation is completed.`,
    )
}

async function portOf({ table }: Platform, ident: string): Promise<Port> {
  if (/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(ident))
    throw new UserError(400, `Expected a uuid but received ${ident}; use ?address= to find a port by its MAC address.`)
  const port = await getPort(table, ident.toLowerCase())
  if (!port) throw new UserError(404, `Port ${ident} could not be found.`)
  return port
}
