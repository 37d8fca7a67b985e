import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { links, portListFields } from '../../contract/api/views.ts'
import { type Port, port as portSchema } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { portgroupStore } from '../store/portgroups.ts'
import { portList, portOfMac, portStore, PORTS_PER_NODE, portsOf } from '../store/ports.ts'
import { requireAllowed } from './authorization.ts'
import { namedNode, nodeFilter, ofVisibleNodes, visibleNode } from './belonging.ts'
import type { Api, Call } from './context.ts'
import { isUuid, nodeOf, requireIdent } from './find.ts'
import { requireVersion } from './microversion.ts'
import { address, blankPort, checkConnection, portCreation, portDefaults, portUpdate } from './port-input.ts'
import { checkPort, requireStill } from './port-rules.ts'
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

export const ports: Resource<Port> = {
  title: 'Port',
  ident: { argument: 'port_uuid', named: 88 },
  table: 'ports',
  path: 'ports',
  store: portStore,
  fields: Object.keys(portSchema.shape).filter((field) => field !== 'version'),
  short: portListFields,
  unsortable: ['extra', 'internal_info', 'local_link_connection'],
  view: ({ version: _version, ...port }, call) => ({ ...port, links: links(call.var.showing, `ports/${port.uuid}`) }),
}

export function portRoutes(app: Api, platform: Platform): void {
  app.get('/v1/ports', (call) => listed(call, platform, false))
  app.get('/v1/ports/detail', (call) => listed(call, platform, true))
  app.post('/v1/ports', (call) => created(call, platform))
  app.get('/v1/ports/:ident', async (call) => replyOne(call, ports, await portOf(call, platform)))
  app.patch('/v1/ports/:ident', async (call) => {
    const { uuid } = await portOf(call, platform)
    return update(call, platform, ports, uuid, {
      schema: portUpdate,
      defaults: portDefaults,
      decide: (before, after, touched) => checkPort(call, platform, before, after, touched),
    })
  })
  app.delete('/v1/ports/:ident', async (call) => {
    const port = await portOf(call, platform)
    await requireStill(platform, port.node_uuid)
    await portStore.remove(platform.table, port)
    return call.body(null, 204)
  })
  for (const detailed of [false, true]) {
    app.get(`/v1/nodes/:ident/ports${detailed ? '/detail' : ''}`, async (call) => {
      const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
      return listed(call, platform, detailed, { path: `nodes/${node.uuid}/ports`, list: portList(node.uuid) })
    })
    app.get(`/v1/portgroups/:portgroup/ports${detailed ? '/detail' : ''}`, async (call) => {
      const group = await portgroupStore.find(platform.table, call.req.param('portgroup'))
      if (!group) throw new UserError(404, `Portgroup ${call.req.param('portgroup')} could not be found.`)
      return listed(call, platform, detailed, {
        path: `portgroups/${group.uuid}/ports`,
        list: portList(group.node_uuid),
        keep: ({ portgroup_uuid: of }) => of === group.uuid,
      })
    })
  }
}

const filters = ['node', 'node_uuid', 'address', 'portgroup', 'shard', 'description_contains', 'conductor_groups']

async function listed(call: Call, platform: Platform, detailed: boolean, from: From<Port> = {}): Promise<Response> {
  const { node_uuid: uuid, node: ident = uuid, address: mac, portgroup, description_contains: words } = call.req.query()
  if (uuid !== undefined) requireIdent(uuid, 'node_uuid', false)
  if (ident !== undefined && ident !== uuid && !isUuid(ident))
    requireVersion(call, { 'node by name': 5 }, ['node by name'])
  const group = portgroup === undefined ? undefined : await portgroupStore.find(platform.table, portgroup)
  if (portgroup !== undefined && !group) throw new UserError(404, `Portgroup ${portgroup} could not be found.`)
  const wanted = mac === undefined ? undefined : await portOfMac(platform.table, parseAs('address', address, mac))
  const owner =
    ident === undefined
      ? (group?.node_uuid ?? (mac === undefined ? undefined : (wanted?.node_uuid ?? 'none')))
      : (await visibleNode(call, platform, ident)).uuid
  const visible = ofVisibleNodes<Port>(call, platform, 'baremetal:port:list_all')
  const ofNodes = nodeFilter<Port>(call, platform)
  return replyList(call, platform, ports, {
    ...from,
    list: from.list ?? (owner === undefined ? undefined : portList(owner)),
    filters,
    detailed,
    keep: (port) =>
      (from.keep?.(port) ?? true) &&
      (mac === undefined || port.uuid === wanted?.uuid) &&
      (group === undefined || port.portgroup_uuid === group.uuid) &&
      (words === undefined || port.description?.toLowerCase().includes(words.toLowerCase()) === true),
    only: async (values) => visible(ofNodes ? await ofNodes(values) : values),
  })
}

async function created(call: Call, platform: Platform): Promise<Response> {
  const body = await creationOf(call, 'ports', portCreation)
  const { node_uuid: uuid, node_ident: ident = uuid, uuid: own, ...given } = body
  if (ident === undefined) throw new UserError(400, "Schema error for port: 'node_uuid' is a required property")
  const node = await namedNode(call, platform, ident)
  requireAllowed(call, 'baremetal:port:create', node)
  if ((await portsOf(platform.table, node.uuid)).length >= PORTS_PER_NODE)
    throw new UserError(400, `Node ${node.uuid} already has ${PORTS_PER_NODE} ports, the most there may be.`)
  const port: Port = { ...newborn(platform, own), ...blankPort, ...given, internal_info: {}, node_uuid: node.uuid }
  checkConnection(port.local_link_connection, call.var.minor)
  await checkPort(call, platform, undefined, port, new Set(Object.keys(given)))
  platform.log.info({ node: node.uuid, port: port.uuid, address: port.address }, 'port created')
  return create(call, platform, ports, port)
}

/** By uuid, from 1.88 by name too. */
async function portOf(call: Call, { table }: Pick<Platform, 'table'>): Promise<Port> {
  const ident = z.string().parse(call.req.param('ident'))
  if (/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(ident))
    throw new UserError(400, `Expected UUID for port_uuid: ${ident}; use ?address= to find a port by its MAC address.`)
  return found(call, table, ports, ident)
}
