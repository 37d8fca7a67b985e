import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { links, maskSecrets } from '../../contract/api/views.ts'
import { allowed } from '../../contract/policy.ts'
import { jsonObject, type Node, uuid } from '../../contract/resources.ts'
import { isSealed } from '../../contract/seal.ts'
import { volumeConnector, type VolumeConnector, volumeTarget, type VolumeTarget } from '../../contract/volume.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import type { Entity } from '../store/entity.ts'
import { getNode } from '../store/nodes.ts'
import { connectorList, connectorStore, targetList, targetStore } from '../store/volumes.ts'
import { requireAllowed } from './authorization.ts'
import { namedNode, ofVisibleNodes, visibleNode } from './belonging.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { sealSecrets } from './secrets.ts'
import { settled } from './settle.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, update } from './resource.ts'

type OfNode = Entity & { node_uuid: string; extra: Record<string, unknown> }
interface Volume<T extends OfNode> {
  resource: Resource<T>
  /** What is written beside node_uuid and extra. */
  shape: z.ZodRawShape
  required: readonly string[]
  list: (node: string) => { index: 'node'; pk: string }
}

const { type, connector_id } = volumeConnector.shape
const { volume_type, volume_id, boot_index, properties } = volumeTarget.shape
const idText = z.union([z.string(), z.int().transform(String)])
/** Clients send what they were given on a command line. */
const indexText = z
  .union([
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
    z.number(),
  ])
  .pipe(boot_index)

const connectors: Volume<VolumeConnector> = {
  resource: {
    title: 'Volume connector',
    ident: { argument: 'connector_uuid' },
    table: 'connectors',
    path: 'volume/connectors',
    store: connectorStore,
    fields: ['uuid', 'node_uuid', 'type', 'connector_id', 'extra', 'created_at', 'updated_at'],
    short: ['uuid', 'node_uuid', 'type', 'connector_id'],
    unsortable: ['extra'],
    view: ({ version: _version, ...connector }) => connector,
  },
  shape: { type, connector_id },
  required: ['type', 'connector_id'],
  list: connectorList,
}
const targets: Volume<VolumeTarget> = {
  resource: {
    title: 'Volume target',
    ident: { argument: 'target_uuid' },
    table: 'targets',
    path: 'volume/targets',
    store: targetStore,
    fields: 'uuid node_uuid volume_type volume_id boot_index properties extra created_at updated_at'.split(' '),
    short: ['uuid', 'node_uuid', 'volume_type', 'boot_index', 'volume_id'],
    unsortable: ['extra', 'properties'],
    view: ({ version: _version, ...target }, call) => ({
      ...target,
      properties: allowed('baremetal:volume:view_target_properties', call.var.caller)
        ? maskSecrets(target.properties)
        : { redacted_contents: '** Value redacted: Requires permission baremetal:volume:view_target_properties. **' },
    }),
  },
  shape: {
    volume_type,
    volume_id: idText.pipe(volume_id),
    boot_index: indexText,
    properties: properties.default({}),
  },
  required: ['volume_type', 'volume_id', 'boot_index'],
  list: targetList,
}

export function volumeRoutes(app: Api, platform: Platform): void {
  app.get('/v1/volume', (call) => call.json(roots(call, 'volume')))
  app.get('/v1/nodes/:ident/volume', async (call) => {
    const { uuid: of } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    return call.json(roots(call, `nodes/${of}/volume`))
  })
  routesOf(app, platform, connectors)
  routesOf(app, platform, targets)
}

function roots(call: Call, path: string) {
  const { showing } = call.var
  return {
    links: links(showing, `${path}/`),
    connectors: links(showing, `${path}/connectors`),
    targets: links(showing, `${path}/targets`),
  }
}

function routesOf<T extends OfNode>(app: Api, platform: Platform, volume: Volume<T>): void {
  const { resource, shape, required } = volume
  const one = `/v1/${resource.path}/:volume`
  const creation = z.strictObject({
    node_uuid: uuid,
    uuid: uuid.optional(),
    extra: jsonObject.nullish(),
    ...shape,
  })
  app.get(`/v1/${resource.path}`, (call) => listed(call, platform, volume))
  app.get(`/v1/nodes/:ident/${resource.path}`, async (call) => {
    const { uuid: of } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    return listed(call, platform, volume, of)
  })
  app.post(`/v1/${resource.path}`, async (call) => {
    const body = (await creationOf(call, resource.table, creation)) as Record<string, unknown> & { node_uuid: string }
    const node = await namedNode(call, platform, body.node_uuid)
    requireAllowed(call, 'baremetal:volume:create', node)
    const entity = newborn(platform, body['uuid'] as string | undefined)
    const sealed = await sealedProperties(platform, node, body['properties'], {})
    const value = { ...body, ...entity, ...sealed, extra: body['extra'] ?? {} } as unknown as T
    return create(call, platform, resource, value)
  })
  app.get(one, async (call) =>
    replyOne(call, resource, await found(call, platform.table, resource, call.req.param('volume') ?? '')),
  )
  app.patch(one, (call) =>
    update(call, platform, resource, call.req.param('volume') ?? '', {
      schema: z.strictObject({ node_uuid: uuid, extra: jsonObject, ...shape }) as unknown as z.ZodType<Partial<T>>,
      defaults: {
        ...Object.fromEntries(Object.keys(shape).map((key) => [key, required.includes(key) ? undefined : {}])),
        node_uuid: undefined,
        extra: {},
      },
      async decide(before, after) {
        await requireOff(platform, resource.title, 'update', before.node_uuid)
        const [was, is] = [before, after] as (T & { properties?: unknown })[]
        const isSame = before.node_uuid === after.node_uuid && is?.properties === was?.properties
        if (isSame) return after
        const node = await namedNode(call, platform, after.node_uuid)
        return { ...after, ...(await sealedProperties(platform, node, is?.properties, was?.properties)) }
      },
    }),
  )
  app.delete(one, async (call) => {
    const value = await found(call, platform.table, resource, call.req.param('volume') ?? '')
    await requireOff(platform, resource.title, 'deletion', value.node_uuid)
    await resource.store.remove(platform.table, value)
    return call.body(null, 204)
  })
}

/** Where a target says how to log in to it, what is secret of that is for the site alone. */
async function sealedProperties(
  { table }: Platform,
  { uuid: node, conductor_group: site }: Node,
  given: unknown,
  stored: unknown,
): Promise<{ properties?: Record<string, unknown> }> {
  if (typeof given !== 'object' || given === null) return {}
  const to = { node, site, appliances: await appliancesOf(table, site) }
  const known = (stored ?? {}) as Record<string, unknown>
  const kept = Object.entries(given).filter(([key, value]) => isSealed(value) && value === known[key])
  const written = Object.fromEntries(Object.entries(given).filter(([key]) => !kept.some(([name]) => name === key)))
  return { properties: { ...sealSecrets(written, known, to, 'properties'), ...Object.fromEntries(kept) } }
}

async function listed<T extends OfNode>(
  call: Call,
  platform: Platform,
  { resource, list }: Volume<T>,
  node?: string,
): Promise<Response> {
  const ident = call.req.query('node')
  const owner = node ?? (ident === undefined ? undefined : (await visibleNode(call, platform, ident)).uuid)
  return replyList(call, platform, resource, {
    path: node === undefined ? resource.path : `nodes/${node}/${resource.path}`,
    filters: ['node'],
    list: owner === undefined ? undefined : list(owner),
    only: ofVisibleNodes<T>(call, platform, 'baremetal:volume:list_all'),
  })
}

/** A machine that runs may be using it. */
async function requireOff(platform: Platform, title: string, action: string, node: string): Promise<void> {
  const before = await getNode(platform.table, node)
  const found = before && (await settled(platform, before))
  if (found && found.power_state !== 'power off')
    throw new UserError(
      400,
      `The requested action "${title.toLowerCase()} ${action}" can not be performed on node "${node}" while it is in state "${found.power_state}".`,
    )
}
