import { UserError } from '../../contract/api/faults.ts'
import type { Network } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { charging } from '../openstack/quotas.ts'
import { isAdmin, isTheirs, mayChange, projectOf, requireAdmin, requireMember, seesAll } from '../openstack/rights.ts'
import { ConflictError } from '../platform.ts'
import { networkCreation, networkUpdate } from './input.ts'
import { anyPortOn, networkStore, segmentStore, subnetsOf, subnetStore } from './store.ts'
import { networkView } from './views.ts'

export const PATH = '/network/v2.0'

/** Where untagged tenants are, unless a network says another. */
export const DEFAULT_PHYSICAL_NETWORK = 'default'
const DEFAULT_MTU = 1500

export function networkRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/networks`
  app.get(path, async (call) => {
    const query = asked(call)
    const sees = (network: Network): boolean => isVisible(call, network)
    const { values, next } = await pageOf(table, networkStore, query, undefined, sees, (each) =>
      matches(networkView(each, true), query.filters),
    )
    const networks = values.map((each) => networkView(each, isAdmin(call)))
    const links = nextLink(call, path, next)
    return call.json({ networks, ...(links.length > 0 ? { networks_links: links } : {}) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'create_network')
    const given = networkCreation.parse(await readJson(call)).network
    const network = newNetwork(call, ground, given)
    await networkStore.save(charging(table, network.project_id, { network: 1 }), undefined, network)
    log.info({ network: network.uuid, name: network.name, project: network.project_id }, 'network created')
    return call.json({ network: networkView(network, isAdmin(call)) }, 201)
  })
  app.get(`${path}/:network`, async (call) => {
    const network = await networkOf(call, ground, call.req.param('network'))
    return call.json({ network: networkView(network, isAdmin(call)) })
  })
  app.put(`${path}/:network`, async (call) => {
    const before = await changeable(call, ground, call.req.param('network'), 'update_network')
    const {
      'router:external': external,
      is_default: _default,
      ...given
    } = networkUpdate.parse(await readJson(call)).network
    if (given.shared !== undefined || external !== undefined) requireAdmin(call, 'update_network:shared')
    const after: Network = {
      ...before,
      ...defined(given),
      external: external ?? before.external,
      updated_at: clock.now().toISOString(),
      version: before.version + 1,
    }
    if (!(await networkStore.save(table, before, after))) throw changed('Network', before.uuid)
    return call.json({ network: networkView(after, isAdmin(call)) })
  })
  app.delete(`${path}/:network`, async (call) => {
    const network = await changeable(call, ground, call.req.param('network'), 'delete_network')
    await removeNetwork(ground, network)
    log.info({ network: network.uuid, name: network.name }, 'network deleted')
    return call.body(null, 204)
  })

  function newNetwork(call: Call, { ids: _ids }: Ground, given: Given): Network {
    const project = given.project_id ?? given.tenant_id
    if (project !== undefined && project !== call.var.caller.project?.id)
      requireAdmin(call, 'create_network for another project')
    const provider = given['provider:network_type']
    const isAdmins = provider !== undefined || given.shared === true || given['router:external'] === true
    if (isAdmins) requireAdmin(call, 'create_network with provider attributes, shared or external')
    const vlan = given['provider:segmentation_id'] ?? null
    if ((provider === 'vlan') !== (vlan !== null))
      throw new UserError(400, 'A network of type vlan needs provider:segmentation_id, and one of type flat has none.')
    return {
      uuid: ids.uuid(),
      name: given.name ?? '',
      description: given.description ?? '',
      project_id: project ?? projectOf(call),
      tags: [],
      admin_state_up: given.admin_state_up ?? true,
      shared: given.shared ?? false,
      external: given['router:external'] ?? false,
      mtu: given.mtu ?? DEFAULT_MTU,
      dns_domain: given.dns_domain ?? '',
      port_security_enabled: given.port_security_enabled ?? true,
      subnets: [],
      closed: false,
      segment: { physical_network: given['provider:physical_network'] ?? DEFAULT_PHYSICAL_NETWORK, vlan },
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
  }
}

type Given = ReturnType<typeof networkCreation.parse>['network']

export const isVisible = (call: Call, network: Network): boolean =>
  network.shared || network.external || isTheirs(call, network) || seesAll(call)

/** One that the caller may see. */
export async function networkOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<Network> {
  const network = await networkStore.get(table, id)
  if (!network || !isVisible(call, network)) throw new UserError(404, `Network ${id} could not be found.`)
  return network
}

async function changeable(call: Call, ground: Ground, id: string, what: string): Promise<Network> {
  const network = await networkOf(call, ground, id)
  if (!mayChange(call, network)) throw new UserError(403, `Policy doesn't allow ${what} to be performed.`)
  return network
}

/** Closed first, so that nothing is put on it while it is looked whether something is; then it goes with its subnets at once. */
export async function removeNetwork({ table }: Pick<Ground, 'table'>, network: Network): Promise<void> {
  await refuseUsed(table, network)
  const closed: Network = { ...network, closed: true, version: network.version + 1 }
  if (!(await networkStore.save(table, network, closed))) throw changed('Network', network.uuid)
  await refuseUsed(table, network).catch(async (error: unknown) => {
    await networkStore.save(table, closed, { ...closed, closed: false, version: closed.version + 1 })
    throw error
  })
  const subnets = await subnetsOf(table, network)
  await charging(table, network.project_id, { network: -1, subnet: -subnets.length })
    .write([
      ...networkStore.writes(closed, undefined),
      ...subnets.flatMap((each) => subnetStore.writes(each, undefined)),
      ...(network.segments ?? []).map((uuid) => ({ delete: segmentStore.key(uuid) })),
    ])
    .catch((error: unknown) => {
      throw error instanceof ConflictError ? changed('Network', network.uuid) : error
    })
}

async function refuseUsed(table: Ground['table'], { uuid }: Network): Promise<void> {
  const port = await anyPortOn(table, uuid)
  if (port !== undefined)
    throw new UserError(
      409,
      `Unable to complete operation on network ${uuid}. There are one or more ports still in use on the network, one of which is ${port}.`,
    )
}

export function changed(what: string, id: string): UserError {
  return new UserError(412, `${what} ${id} was changed at the same moment, please retry.`)
}

export function defined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
