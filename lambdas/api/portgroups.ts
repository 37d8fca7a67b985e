import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { links } from '../../contract/api/views.ts'
import { type Portgroup, portgroup as portgroupSchema } from '../../contract/portgroup.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import type { Platform } from '../platform.ts'
import { portgroupList, portgroupOfMac, portgroupsOf, portgroupStore } from '../store/portgroups.ts'
import { portsOf } from '../store/ports.ts'
import { requireAllowed } from './authorization.ts'
import { namedNode, nodeFilter, ofVisibleNodes, visibleNode } from './belonging.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { address } from './port-input.ts'
import { requireStill } from './port-rules.ts'
import {
  create,
  creationOf,
  found,
  type From,
  newborn,
  replyList,
  replyOne,
  type Resource,
  update,
} from './resource.ts'

const { name, mode, category } = portgroupSchema.shape
const writable = {
  name: name.optional(),
  address: address.nullable().optional(),
  mode: mode.optional(),
  properties: jsonObject.optional(),
  standalone_ports_supported: boolean.optional(),
  physical_network: z.string().min(1).max(64).nullable().optional(),
  category: category.optional(),
  extra: jsonObject.optional(),
}
const creation = z.strictObject({ ...writable, node_uuid: uuid, uuid: uuid.optional() })
const blank = {
  name: null,
  address: null,
  mode: 'active-backup',
  properties: {},
  standalone_ports_supported: true,
  physical_network: null,
  category: null,
  extra: {},
}
/** So that a node and all of its can go in one transaction. */
const PER_NODE = 5

const portgroups: Resource<Portgroup> = {
  title: 'Portgroup',
  ident: { argument: 'portgroup', named: 23 },
  table: 'portgroups',
  path: 'portgroups',
  store: portgroupStore,
  fields: [...Object.keys(portgroupSchema.shape).filter((field) => field !== 'version'), 'ports'],
  short: ['uuid', 'name', 'address'],
  unsortable: ['extra', 'internal_info', 'properties', 'ports'],
  view: ({ version: _version, ...group }, call) => ({
    ...group,
    ports: links(call.var.showing, `portgroups/${group.uuid}/ports`),
  }),
}

export function portgroupRoutes(app: Api, platform: Platform): void {
  const { table } = platform
  const one = (call: Call): Promise<Portgroup> => found(call, table, portgroups, call.req.param('portgroup') ?? '')
  app.get('/v1/portgroups', (call) => listed(call, platform, false))
  app.get('/v1/portgroups/detail', (call) => listed(call, platform, true))
  app.post('/v1/portgroups', (call) => created(call, platform))
  app.get('/v1/portgroups/:portgroup', async (call) => replyOne(call, portgroups, await one(call)))
  app.patch('/v1/portgroups/:portgroup', (call) =>
    update(call, platform, portgroups, call.req.param('portgroup'), {
      schema: z.strictObject(writable),
      defaults: { ...blank, mode: undefined },
      async decide(before, after) {
        await requireStill(platform, before.node_uuid)
        return after
      },
    }),
  )
  app.delete('/v1/portgroups/:portgroup', async (call) => {
    const group = await one(call)
    await requireStill(platform, group.node_uuid)
    const members = (await portsOf(table, group.node_uuid)).filter(({ portgroup_uuid: of }) => of === group.uuid)
    if (members.length > 0)
      throw new UserError(
        400,
        `Cannot complete the requested action because portgroup ${group.uuid} contains ports: ${members.map((port) => port.uuid).join(', ')}.`,
      )
    await portgroupStore.remove(table, group)
    return call.body(null, 204)
  })
  for (const detailed of [false, true])
    app.get(`/v1/nodes/:ident/portgroups${detailed ? '/detail' : ''}`, async (call) => {
      const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
      const path = `nodes/${node.uuid}/portgroups`
      return listed(call, platform, detailed, { path, list: portgroupList(node.uuid) })
    })
}

const filters = ['node', 'address', 'shard', 'conductor_groups']

async function listed(
  call: Call,
  platform: Platform,
  detailed: boolean,
  from: From<Portgroup> = {},
): Promise<Response> {
  const { node: ident, address: mac } = call.req.query()
  const wanted = mac === undefined ? undefined : await portgroupOfMac(platform.table, parseAs('address', address, mac))
  const owner =
    ident === undefined
      ? mac === undefined
        ? undefined
        : (wanted?.node_uuid ?? 'none')
      : (await visibleNode(call, platform, ident)).uuid
  const visible = ofVisibleNodes<Portgroup>(call, platform, 'baremetal:portgroup:list_all')
  const ofNodes = nodeFilter<Portgroup>(call, platform)
  return replyList(call, platform, portgroups, {
    ...from,
    list: from.list ?? (owner === undefined ? undefined : portgroupList(owner)),
    filters,
    detailed,
    keep: (group) => mac === undefined || group.uuid === wanted?.uuid,
    only: async (values) => visible(ofNodes ? await ofNodes(values) : values),
  })
}

async function created(call: Call, platform: Platform): Promise<Response> {
  const { node_uuid: ident, uuid: own, ...given } = await creationOf(call, 'portgroups', creation)
  const node = await namedNode(call, platform, ident)
  requireAllowed(call, 'baremetal:portgroup:create', node)
  if ((await portgroupsOf(platform.table, node.uuid)).length >= PER_NODE)
    throw new UserError(400, `Node ${node.uuid} already has ${PER_NODE} portgroups, the most there may be.`)
  const more = { node_uuid: node.uuid, internal_info: {}, dynamic_portgroup: false }
  return create(call, platform, portgroups, { ...newborn(platform, own), ...blank, ...given, ...more })
}
