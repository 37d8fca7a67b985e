import { UserError } from '../../contract/api/faults.ts'
import type { Network, NetworkPort } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import { ConflictError } from '../platform.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, listFor, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { charging } from '../openstack/quotas.ts'
import { isAdmin, isTheirs, mayChange, requireAdmin, requireMember, seesAll } from '../openstack/rights.ts'
import { type PortInput, portCreation, portUpdate } from './input.ts'
import { changed, networkOf, PATH } from './networks.ts'
import { networkPortsFor, networkPortsOf, networkStore, portStore, portWrites } from './store.ts'
import { takePort } from './take-port.ts'
import { carriedBy, requireUntrunked } from './trunk-ports.ts'
import { portView, trunkDetails } from './views.ts'

export function portRoutes(app: Service, ground: Ground): void {
  const { table, clock, log } = ground
  const path = `${PATH}/ports`
  const shown = async (call: Call, port: NetworkPort) => ({
    ...portView(port, isAdmin(call)),
    ...(port.trunk?.vlan === null
      ? { trunk_details: trunkDetails(port.trunk.uuid, await carriedBy(table, port)) }
      : {}),
  })
  app.get(path, async (call) => {
    const query = asked(call)
    const { fixed_ips: ips = [], ...filters } = query.filters
    const sees = (port: NetworkPort): boolean => isTheirs(call, port) || seesAll(call)
    const keep = (port: NetworkPort): boolean =>
      matches(portView(port, true), filters) && ips.every((each) => hasIp(port, each))
    const { device_id: [device, ...others] = [] } = filters
    const from = device && others.length === 0 ? networkPortsOf(device) : listFor(call, query, networkPortsFor)
    const { values, next } = await pageOf(table, portStore, query, from, sees, keep)
    const ports = await Promise.all(values.map((each) => shown(call, each)))
    const links = nextLink(call, path, next)
    return call.json({ ports, ...(links.length > 0 ? { ports_links: links } : {}) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'create_port')
    const given = portCreation.parse(await readJson(call)).port
    checkRights(call, given)
    const network = await networkOf(call, ground, given.network_id)
    checkChoice(call, network, given)
    const project = given.project_id ?? given.tenant_id ?? call.var.caller.project?.id ?? network.project_id
    if (project !== call.var.caller.project?.id) requireAdmin(call, 'create_port for another project')
    const port = await createPort(ground, { ...given, network_id: network.uuid, project_id: project })
    return call.json({ port: await shown(call, port) }, 201)
  })
  app.get(`${path}/:port`, async (call) =>
    call.json({ port: await shown(call, await portOf(call, ground, call.req.param('port'))) }),
  )
  app.put(`${path}/:port`, async (call) => {
    const before = await changeablePort(call, ground, call.req.param('port'), 'update_port')
    const given = portUpdate.parse(await readJson(call)).port
    checkRights(call, given)
    const network = await networkStore.get(table, before.network_uuid)
    if (network) checkChoice(call, network, given, before)
    if (before.bound && given.mac_address !== undefined && given.mac_address !== before.mac_address)
      throw new UserError(409, `Port ${before.uuid} is bound to a machine, whose card has its MAC address.`)
    // By its device a server finds its ports again when it goes, and the card of its node with them.
    if (before.bound && given.device_id !== undefined && given.device_id !== before.device_id)
      throw new UserError(409, `Port ${before.uuid} is bound to a machine: detach it from its server first.`)
    const base: NetworkPort = {
      ...before,
      ...fieldsOf(given, before),
      updated_at: clock.now().toISOString(),
      version: before.version + 1,
    }
    const after = await takePort(ground, before, base, { fixed_ips: given.fixed_ips, mac_address: given.mac_address })
    return call.json({ port: await shown(call, after) })
  })
  app.delete(`${path}/:port`, async (call) => {
    const port = await changeablePort(call, ground, call.req.param('port'), 'delete_port')
    if (port.bound)
      throw new UserError(
        409,
        `Port ${port.uuid} is bound to node ${port.bound.node}: detach it from its server first.`,
      )
    requireUntrunked(port)
    await deletePort(ground, port)
    log.info({ port: port.uuid, network: port.network_uuid }, 'port deleted')
    return call.body(null, 204)
  })
}

export async function deletePort({ table }: Pick<Ground, 'table'>, port: NetworkPort): Promise<void> {
  const counted = charging(table, port.project_id, { port: -1 })
  await counted.write(portWrites(port, undefined)).catch((error: unknown) => {
    throw error instanceof ConflictError ? changed('Port', port.uuid) : error
  })
}

/** A new port with its addresses. */
export function createPort(
  ground: Ground,
  given: PortInput & { network_id: string; project_id: string },
  uuid = ground.ids.uuid(),
): Promise<NetworkPort> {
  const bare: NetworkPort = {
    uuid,
    project_id: given.project_id,
    network_uuid: given.network_id,
    name: '',
    description: '',
    tags: [],
    mac_address: '',
    fixed_ips: [],
    admin_state_up: true,
    device_id: '',
    device_owner: '',
    dns_name: '',
    extra_dhcp_opts: [],
    allowed_address_pairs: [],
    security_groups: [],
    port_security_enabled: true,
    binding: { host_id: '', vnic_type: 'baremetal', profile: {} },
    bound: null,
    created_at: ground.clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
  const port = { ...bare, ...fieldsOf(given, bare) }
  return takePort(ground, undefined, port, { fixed_ips: given.fixed_ips, mac_address: given.mac_address })
}

function fieldsOf(given: PortInput, before: NetworkPort): Partial<NetworkPort> {
  const { binding } = before
  return {
    name: given.name ?? before.name,
    description: given.description ?? before.description,
    admin_state_up: given.admin_state_up ?? before.admin_state_up,
    device_id: given.device_id ?? before.device_id,
    device_owner: given.device_owner ?? before.device_owner,
    dns_name: given.dns_name ?? before.dns_name,
    extra_dhcp_opts: given.extra_dhcp_opts ?? before.extra_dhcp_opts,
    allowed_address_pairs: given.allowed_address_pairs ?? before.allowed_address_pairs,
    security_groups: given.security_groups ?? before.security_groups,
    port_security_enabled: given.port_security_enabled ?? before.port_security_enabled,
    binding: {
      host_id: given['binding:host_id'] ?? binding.host_id,
      vnic_type: given['binding:vnic_type'] ?? binding.vnic_type,
      profile: given['binding:profile'] ?? binding.profile,
    },
  }
}

function checkRights(call: Call, given: PortInput): void {
  if (given['binding:host_id'] != null || given['binding:profile'] != null)
    requireAdmin(call, 'create_port with a binding')
}

type Chosen = Pick<PortInput, 'mac_address' | 'device_owner' | 'fixed_ips'>

/** Everybody may have a port on a shared network; which address it has is for the network's owner to say, since others' machines, its gateway
 * among them, are known by theirs. What the port has already is no choice. */
export function checkChoice(call: Call, network: Network, given: Chosen, before?: NetworkPort): void {
  if (isAdmin(call) || isTheirs(call, network)) return
  const refuse = (what: string): never => {
    throw new UserError(403, `Policy doesn't allow ${what} on network ${network.uuid}, which is another project's.`)
  }
  if (network.external && !network.shared) refuse('create_port')
  if (given.mac_address !== undefined && given.mac_address !== before?.mac_address) refuse('create_port:mac_address')
  const kept = new Set(before?.fixed_ips.map(({ ip_address: ip }) => ip))
  if (given.fixed_ips?.some(({ ip_address: ip }) => ip !== undefined && !kept.has(ip)))
    refuse('create_port:fixed_ips:ip_address')
  if (given.device_owner?.startsWith('network:') && given.device_owner !== before?.device_owner)
    refuse('create_port:device_owner')
}

/** As in `fixed_ips=ip_address=10.0.0.5`; also `subnet_id=` and `ip_address_substr=`. */
function hasIp({ fixed_ips: ips }: NetworkPort, wanted: string): boolean {
  const [, name, value = ''] = /^(ip_address|subnet_id|ip_address_substr)=(.*)$/.exec(wanted) ?? []
  if (name === 'subnet_id') return ips.some(({ subnet_uuid }) => subnet_uuid === value)
  if (name === 'ip_address_substr') return ips.some(({ ip_address }) => ip_address.includes(value))
  return ips.some(({ ip_address }) => ip_address === value)
}

export async function portOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<NetworkPort> {
  const port = await portStore.get(table, id)
  if (!port || !(isTheirs(call, port) || seesAll(call))) throw new UserError(404, `Port ${id} could not be found.`)
  return port
}

export async function changeablePort(call: Call, ground: Ground, id: string, what: string): Promise<NetworkPort> {
  const port = await portOf(call, ground, id)
  if (!mayChange(call, port)) throw new UserError(403, `Policy doesn't allow ${what} to be performed.`)
  return port
}
