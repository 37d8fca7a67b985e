import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import { flag } from '../api/query.ts'
import type { NetworkPort } from '../../contract/network.ts'
import { portsOfDevice, networkStore } from '../network/store.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { isAdmin, isTheirs, mayChange, requireMember, seesAll } from '../openstack/rights.ts'
import { actionOf, withAction } from './action-log.ts'
import { changeServer } from './change-server.ts'
import { createServers } from './create.ts'
import { changesOf, requireHostnames } from './naming.ts'
import { PATH } from './path.ts'
import { creation, metadata, metadataOnly, metaOnly, update } from './server-input.ts'
import { getNode } from '../store/nodes.ts'
import { hasTags } from './tags.ts'
import { type Addresses, linksOf, serverView } from './server-view.ts'
import { serversFor, serverStore } from './store.ts'

/** Filters of the list that say whose, not which. */
const scopes = [
  'all_tenants',
  'all_projects',
  'deleted',
  'changes-since',
  'tags',
  'tags-any',
  'not-tags',
  'not-tags-any',
]

export function serverRoutes(app: Service, ground: Ground): void {
  const { table } = ground
  const path = `${PATH}/servers`
  const list = async (call: Call, detailed: boolean): Promise<Response> => {
    const query = asked(call)
    const { all_tenants: everyone, deleted } = call.req.query()
    const whole = everyone !== undefined && flag('all_tenants', everyone || '1') === true
    if (whole && !seesAll(call))
      throw new UserError(403, "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.")
    const { name, ...rest } = Object.fromEntries(Object.entries(query.filters).filter(([key]) => !scopes.includes(key)))
    const keep = (server: Server): boolean =>
      (name?.every((text) => isNamed(server, text)) ?? true) &&
      hasTags(server, query.filters) &&
      matches(filterable(call, server), rest)
    const project = call.var.caller.project?.id
    const from = whole || project === undefined ? undefined : serversFor(project)
    if (!whole && project === undefined && !seesAll(call)) throw new UserError(403, 'The token is of no project.')
    const isNone = deleted !== undefined && flag('deleted', deleted) === true
    const { values, next } = isNone
      ? { values: [], next: undefined }
      : await pageOf(table, serverStore, query, from, (server) => isTheirs(call, server) || seesAll(call), keep)
    const servers = detailed
      ? await Promise.all(values.map((each) => shown(call, ground, each)))
      : values.map((each) => ({ id: each.uuid, name: each.name, links: linksOf(call, each) }))
    const more = nextLink(call, detailed ? `${path}/detail` : path, next)
    return call.json({ servers, ...(more.length > 0 ? { servers_links: more } : {}) })
  }
  app.get(path, (call) => list(call, false))
  app.get(`${path}/detail`, (call) => list(call, true))
  app.post(path, async (call) => {
    requireMember(call, 'os_compute_api:servers:create')
    const given = creation.parse(await readJson(call))
    const [first] = await createServers(
      call,
      ground,
      given.server,
      given['os:scheduler_hints'] ?? given['OS-SCH-HNT:scheduler_hints'] ?? {},
    )
    if (!first) throw new UserError(400, 'min_count must be at least 1')
    // For who asks for several at once: he finds them by it.
    if (given.server.return_reservation_id) return call.json({ reservation_id: first.reservation_id }, 202)
    call.header('location', `${call.var.base}${path}/${first.uuid}`)
    return call.json(
      { server: { id: first.uuid, links: linksOf(call, first), 'OS-DCF:diskConfig': 'MANUAL', security_groups: [] } },
      202,
    )
  })
  app.get(`${path}/:server`, async (call) =>
    call.json({ server: await shown(call, ground, await serverOf(call, ground, call.req.param('server'))) }),
  )
  app.put(`${path}/:server`, async (call) => {
    const before = await changeable(call, ground, call.req.param('server'), 'update')
    const given = update.parse(await readJson(call)).server
    requireHostnames(call, given)
    const after = await changeServer(ground, before.uuid, () => changesOf(given))
    if (!after) throw noServer(before.uuid)
    return call.json({ server: await shown(call, ground, after) })
  })
  app.delete(`${path}/:server`, async (call) => {
    const server = await changeable(call, ground, call.req.param('server'), 'delete')
    requireUnlocked(call, server)
    await changeServer(ground, server.uuid, (now) =>
      now.task === 'deleting'
        ? undefined
        : { task: 'deleting', actions: withAction(now, actionOf(call, 'delete', ground.clock.now())) },
    )
    ground.log.info({ server: server.uuid, name: server.name, user: call.var.caller.user?.id }, 'server to be deleted')
    return call.body(null, 204)
  })
  app.get(`${path}/:server/metadata`, async (call) =>
    call.json({ metadata: (await serverOf(call, ground, call.req.param('server'))).metadata }),
  )
  app.put(`${path}/:server/metadata`, async (call) => {
    const { metadata: given } = metadataOnly.parse(await readJson(call))
    const { uuid } = await changeable(call, ground, call.req.param('server'), 'server-metadata:update_all')
    await changeServer(ground, uuid, () => ({ metadata: given }))
    return call.json({ metadata: given })
  })
  app.post(`${path}/:server/metadata`, async (call) => {
    const { metadata: given } = metadataOnly.parse(await readJson(call))
    const { uuid } = await changeable(call, ground, call.req.param('server'), 'server-metadata:create')
    const after = await changeServer(ground, uuid, (server) => ({
      metadata: metadata.parse({ ...server.metadata, ...given }),
    }))
    return call.json({ metadata: after?.metadata ?? {} })
  })
  app.get(`${path}/:server/metadata/:key`, async (call) => {
    const { metadata: own } = await serverOf(call, ground, call.req.param('server'))
    const key = call.req.param('key')
    if (!Object.hasOwn(own, key)) throw new UserError(404, 'Metadata item was not found')
    return call.json({ meta: { [key]: own[key] } })
  })
  app.put(`${path}/:server/metadata/:key`, async (call) => {
    const { meta } = metaOnly.parse(await readJson(call))
    const key = call.req.param('key')
    if (!Object.hasOwn(meta, key) || Object.keys(meta).length !== 1)
      throw new UserError(400, 'Request body and URI mismatch')
    const { uuid } = await changeable(call, ground, call.req.param('server'), 'server-metadata:update')
    await changeServer(ground, uuid, (server) => ({ metadata: metadata.parse({ ...server.metadata, ...meta }) }))
    return call.json({ meta })
  })
  app.delete(`${path}/:server/metadata/:key`, async (call) => {
    const { uuid } = await changeable(call, ground, call.req.param('server'), 'server-metadata:delete')
    const key = call.req.param('key')
    await changeServer(ground, uuid, ({ metadata: { [key]: gone, ...rest } }) => {
      if (gone === undefined) throw new UserError(404, 'Metadata item was not found')
      return { metadata: rest }
    })
    return call.body(null, 204)
  })
  app.get(`${path}/:server/ips`, async (call) => {
    const { addresses } = await shown(call, ground, await serverOf(call, ground, call.req.param('server')))
    return call.json({ addresses })
  })
}

/** Of Nova's regular expressions the two that bound a name; anything else is looked for as it is. */
function isNamed({ name }: Server, text: string): boolean {
  const [own, wanted] = [name.toLowerCase(), text.toLowerCase()]
  const middle = wanted.replace(/^\^/, '').replace(/\$$/, '')
  const [isStart, isEnd] = [wanted.startsWith('^'), wanted.endsWith('$')]
  if (isStart && isEnd) return own === middle
  return isStart ? own.startsWith(middle) : isEnd ? own.endsWith(middle) : own.includes(middle)
}

const filterable = (call: Call, server: Server): Record<string, unknown> => {
  const { status, id, key_name, user_id, tenant_id } = serverView(call, server, [], true)
  return {
    status,
    uuid: id,
    key_name,
    user_id,
    tenant_id,
    project_id: tenant_id,
    image: server.image,
    flavor: server.flavor.uuid,
    availability_zone: server.site,
    host: server.site,
    node: server.node,
    reservation_id: server.reservation_id,
  }
}

export async function shown(call: Call, { table }: Ground, server: Server) {
  const ports = await portsOfServer(table, server)
  const byNetwork = Map.groupBy(ports, ({ network_uuid: network }) => network)
  const addresses: Addresses[] = []
  for (const [uuid, own] of byNetwork)
    addresses.push({ network: (await networkStore.get(table, uuid))?.name ?? uuid, ports: own })
  return serverView(call, server, addresses, isAdmin(call))
}

/** Anybody may write of a port of theirs that it is this server's: its own are those that it knows of, too. */
export async function portsOfServer(table: Ground['table'], { uuid, nics }: Server): Promise<NetworkPort[]> {
  const own = new Set(nics.map(({ port }) => port))
  return (await portsOfDevice(table, uuid)).filter((each) => own.has(each.uuid))
}

export const noServer = (id: string): UserError => new UserError(404, `Instance ${id} could not be found.`)

export async function serverOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<Server> {
  const server = await serverStore.get(table, id)
  if (!server || !(isTheirs(call, server) || seesAll(call))) throw noServer(id)
  return server
}

export async function changeable(call: Call, ground: Ground, id: string, what: string): Promise<Server> {
  const server = await serverOf(call, ground, id)
  if (!mayChange(call, server))
    throw new UserError(403, `Policy doesn't allow os_compute_api:servers:${what} to be performed.`)
  return server
}

/** One that was torn down beneath a server may be another's before the server's change has been told to it. */
export async function ownNode({ table }: Pick<Ground, 'table'>, { uuid, node }: Server): Promise<string> {
  const found = node === null ? undefined : await getNode(table, node)
  if (found?.instance_uuid !== uuid) throw new UserError(409, `Instance ${uuid} is not ready: it has no node.`)
  return found.uuid
}

export function requireUnlocked(call: Call, { uuid, locked }: Server): void {
  if (locked && !isAdmin(call)) throw new UserError(409, `Instance ${uuid} is locked`)
}
