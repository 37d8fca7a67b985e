import { UserError } from '../../contract/api/faults.ts'
import type { Network, NetworkPort, Trunk } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, listFor, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { isTheirs, mayChange, requireAdmin, requireMember, seesAll } from '../openstack/rights.ts'
import { MOST_SUB_PORTS, type SubPortInput, subPorts, subPortsGone, trunkCreation, trunkUpdate } from './input.ts'
import { changed, defined, networkOf, PATH } from './networks.ts'
import { changeablePort } from './ports.ts'
import { portStore, trunksFor, trunkStore } from './store.ts'
import { requireFree, writeTrunk } from './trunk-ports.ts'
import { subPortView, trunkView } from './views.ts'

/** Neutron's trunks: one port of a card untagged, and others as VLANs of it. */
export function trunkRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/trunks`
  const stamp = (before: Trunk) => ({ updated_at: clock.now().toISOString(), version: before.version + 1 })
  const shown = async (trunk: Trunk) => trunkView(trunk, (await portStore.get(table, trunk.port_uuid))?.bound != null)
  const changeable = async (call: Call, what: string): Promise<Trunk> => {
    const trunk = await trunkOf(call, ground, call.req.param('trunk') ?? '')
    if (!mayChange(call, trunk)) throw new UserError(403, `Policy doesn't allow ${what} to be performed.`)
    return trunk
  }
  app.get(path, async (call) => {
    const query = asked(call)
    const { status, ...filters } = query.filters
    const sees = (trunk: Trunk): boolean => isTheirs(call, trunk) || seesAll(call)
    const { values, next } = await pageOf(table, trunkStore, query, listFor(call, query, trunksFor), sees, (each) =>
      matches(trunkView(each, false), filters),
    )
    const all = await Promise.all(values.map(shown))
    const trunks = all.filter((each) => !status || status.includes(each.status))
    const links = nextLink(call, path, next)
    return call.json({ trunks, ...(links.length > 0 ? { trunks_links: links } : {}) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'create_trunk')
    const given = trunkCreation.parse(await readJson(call)).trunk
    const parent = await changeablePort(call, ground, given.port_id, 'create_trunk')
    const project = given.project_id ?? given.tenant_id ?? parent.project_id
    if (project !== parent.project_id) requireAdmin(call, 'create_trunk for another project')
    requireFree(parent, 'a parent')
    const trunk: Trunk = {
      uuid: ids.uuid(),
      name: given.name ?? '',
      description: given.description ?? '',
      project_id: project,
      tags: [],
      admin_state_up: given.admin_state_up ?? true,
      port_uuid: parent.uuid,
      sub_ports: [],
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    const wanted = await chosen(call, ground, trunk, parent, given.sub_ports)
    const made = await writeTrunk(ground, undefined, { ...trunk, sub_ports: wanted })
    log.info({ trunk: made.uuid, parent: parent.uuid, vlans: wanted.map(({ vlan }) => vlan) }, 'trunk created')
    return call.json({ trunk: trunkView(made, false) }, 201)
  })
  app.get(`${path}/:trunk`, async (call) =>
    call.json({ trunk: await shown(await trunkOf(call, ground, call.req.param('trunk'))) }),
  )
  app.put(`${path}/:trunk`, async (call) => {
    const before = await changeable(call, 'update_trunk')
    const given = trunkUpdate.parse(await readJson(call)).trunk
    const after: Trunk = { ...before, ...defined(given), ...stamp(before) }
    if (!(await trunkStore.save(table, before, after))) throw changed('Trunk', before.uuid)
    return call.json({ trunk: await shown(after) })
  })
  app.delete(`${path}/:trunk`, async (call) => {
    const trunk = await changeable(call, 'delete_trunk')
    if ((await portStore.get(table, trunk.port_uuid))?.bound)
      throw new UserError(409, `Trunk ${trunk.uuid} is currently in use: a machine has its parent port.`)
    await writeTrunk(ground, trunk, undefined)
    log.info({ trunk: trunk.uuid, parent: trunk.port_uuid }, 'trunk deleted')
    return call.body(null, 204)
  })
  app.get(`${path}/:trunk/get_subports`, async (call) => {
    const trunk = await trunkOf(call, ground, call.req.param('trunk'))
    return call.json({ sub_ports: trunk.sub_ports.map(subPortView) })
  })
  app.put(`${path}/:trunk/add_subports`, async (call) => {
    const before = await changeable(call, 'add_subports')
    const { sub_ports: given } = subPorts.parse(await readJson(call))
    const parent = await portStore.get(table, before.port_uuid)
    if (!parent) throw new UserError(404, `Port ${before.port_uuid} could not be found.`)
    const sub_ports = [...before.sub_ports, ...(await chosen(call, ground, before, parent, given))]
    const after = await writeTrunk(ground, before, { ...before, sub_ports, ...stamp(before) })
    return call.json(await shown(after))
  })
  app.put(`${path}/:trunk/remove_subports`, async (call) => {
    const before = await changeable(call, 'remove_subports')
    const gone = new Set(subPortsGone.parse(await readJson(call)).sub_ports.map(({ port_id: port }) => port))
    for (const port of gone)
      if (!before.sub_ports.some((each) => each.port_uuid === port))
        throw new UserError(404, `SubPort on trunk ${before.uuid} with parent port ${port} could not be found.`)
    const sub_ports = before.sub_ports.filter(({ port_uuid: port }) => !gone.has(port))
    return call.json(await shown(await writeTrunk(ground, before, { ...before, sub_ports, ...stamp(before) })))
  })
}

async function trunkOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<Trunk> {
  const trunk = await trunkStore.get(table, id)
  if (!trunk || !(isTheirs(call, trunk) || seesAll(call))) throw new UserError(404, `Trunk ${id} could not be found.`)
  return trunk
}

/** New subports of a trunk, with the VLAN of each: it is what the switch knows it by, so that the machine sees the network's own. */
async function chosen(
  call: Call,
  ground: Ground,
  trunk: Trunk,
  parent: NetworkPort,
  given: readonly SubPortInput[],
): Promise<Trunk['sub_ports']> {
  const native = await networkOf(call, ground, parent.network_uuid)
  const taken = new Map(trunk.sub_ports.map(({ vlan, port_uuid: port }) => [vlan, port]))
  if (taken.size + given.length > MOST_SUB_PORTS)
    throw new UserError(409, `Trunk ${trunk.uuid} would have more than ${MOST_SUB_PORTS} subports, which is the most.`)
  const added: Trunk['sub_ports'] = []
  for (const each of given) {
    const port = await changeablePort(call, ground, each.port_id, 'add_subports')
    if (port.uuid === parent.uuid)
      throw new UserError(400, `Port ${port.uuid} is the trunk's parent, and can't be its subport too.`)
    requireFree(port, 'a subport')
    const vlan = vlanFor(each, await networkOf(call, ground, port.network_uuid), native)
    const other = taken.get(vlan)
    if (other !== undefined)
      throw new UserError(
        409,
        `segmentation_type vlan and segmentation_id ${vlan} already in use by ${other} on trunk ${trunk.uuid}.`,
      )
    taken.set(vlan, port.uuid)
    added.push({ port_uuid: port.uuid, vlan })
  }
  return added
}

function vlanFor({ port_id, segmentation_id: asked }: SubPortInput, network: Network, native: Network): number {
  const { vlan, physical_network: on } = network.segment
  const port = `Port ${port_id} can't be a subport`
  if ((network.segments ?? []).length > 0)
    throw new UserError(
      400,
      `${port}: its network ${network.uuid} has several segments, and a trunk's VLANs are those of all sites.`,
    )
  if (vlan === null)
    throw new UserError(400, `${port}: its network ${network.uuid} is flat, and a subport's must be of type vlan.`)
  if (asked !== undefined && asked !== vlan)
    throw new UserError(
      400,
      `${port} with segmentation_id ${asked}: no switch here translates VLANs, so that it must be the network's own, which segmentation_type inherit takes.`,
    )
  if (on !== native.segment.physical_network)
    throw new UserError(
      400,
      `${port}: its network is on physical network ${on}, and its parent's on ${native.segment.physical_network}.`,
    )
  if (vlan === native.segment.vlan) throw new UserError(400, `${port}: VLAN ${vlan} is its parent's, untagged.`)
  return vlan
}
