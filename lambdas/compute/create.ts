import { UserError } from '../../contract/api/faults.ts'
import { type Flavor, type Nic, type Server } from '../../contract/compute.ts'
import type { Network } from '../../contract/network.ts'
import type { Call, Ground } from '../openstack/context.ts'
import { requireRoom } from '../openstack/quotas.ts'
import { isTheirs, projectOf } from '../openstack/rights.ts'
import { isVisible } from '../network/networks.ts'
import { checkChoice, portOf } from '../network/ports.ts'
import { networkStore } from '../network/store.ts'
import { all } from '../store/paging.ts'
import { bootable } from '../image-service/sight.ts'
import { changeServer } from './change-server.ts'
import { amountsOf, writeServer } from './counted.ts'
import { flavorOf } from './flavors.ts'
import { groupOf } from './group-routes.ts'
import { keypairOf } from './keypairs.ts'
import { actionOf, logged } from './action-log.ts'
import { disksFor, withDisks } from './disks.ts'
import { accessOf, hostName, requireHostnames } from './naming.ts'
import type { ServerCreation } from './server-input.ts'
import { isZone } from './wish.ts'

/** The servers that a request asks for, checked against what there is, and written: the rest is done by `reconcile`. */
export async function createServers(
  call: Call,
  ground: Ground,
  given: ServerCreation,
  hints: Record<string, unknown>,
): Promise<Server[]> {
  const { table, clock, ids, log } = ground
  const flavor = await flavorForServer(call, ground, given.flavorRef)
  const disks = await disksFor(call, ground, given, given.max_count ?? given.min_count)
  const image = disks.boots ? '' : await imageFor(call, ground, given.imageRef, flavor)
  const zone = await zoneFor(ground, given.availability_zone)
  const user = call.var.caller.user?.id ?? ''
  const key = given.key_name ? await keyFor(ground, user, given.key_name) : null
  const count = given.max_count ?? given.min_count
  if (count < given.min_count) throw new UserError(400, 'min_count must be <= max_count')
  const inGroup = await groupFor(call, ground, hints)
  requireHostnames(call, given)
  if (given.hostname !== undefined && count > 1)
    throw new UserError(400, 'Unable to allocate a single hostname to multiple instances.')
  const { uuid, name, vcpus, ram, disk, ephemeral, swap, extra_specs } = flavor
  const reservation = `r-${ids.uuid().slice(0, 8)}`
  const nics = await nicsFor(call, ground, given.networks, count)
  const servers: Server[] = []
  for (let index = 1; index <= count; index += 1) {
    const server: Server = {
      uuid: ids.uuid(),
      name: numbered(given.name, index, count),
      hostname: given.hostname ?? hostName(numbered(given.name, index, count)),
      ...accessOf(given),
      reservation_id: reservation,
      description: given.description ?? null,
      project_id: projectOf(call),
      user_id: user,
      flavor: { uuid, name, vcpus, ram, disk, ephemeral, swap, extra_specs },
      image,
      key,
      metadata: given.metadata,
      user_data: given.user_data ?? null,
      nics: nics.map((nic) => (nic.made ? { ...nic, port: ids.uuid() } : nic)),
      availability_zone: zone,
      state: 'building',
      task: 'scheduling',
      node: null,
      site: null,
      power: null,
      fault: null,
      tried: [],
      locked: false,
      launched_at: null,
      actions: [actionOf(call, 'create', clock.now())],
      tags: [...new Set(given.tags)],
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
      ...inGroup,
    }
    servers.push(logged(undefined, withDisks(server, disks), server.created_at))
  }
  await requireRoom(table, projectOf(call), amountsOf(flavor, count))
  for (const [index, server] of servers.entries()) {
    try {
      await writeServer(ground, server)
    } catch (error) {
      await withdraw(ground, servers.slice(0, index))
      throw error
    }
    log.info({ server: server.uuid, name: server.name, project: server.project_id, flavor: name }, 'server asked for')
  }
  return servers
}

/** Several of one name are told apart as Nova does it. */
const numbered = (name: string, index: number, count: number): string => (count === 1 ? name : `${name}-${index}`)

/** What a request that came no further has made. */
async function withdraw(ground: Ground, made: Server[]): Promise<void> {
  for (const { uuid } of made) await changeServer(ground, uuid, () => ({ task: 'deleting' }))
}

/** A server of which the group is hinted at is made in it. */
async function groupFor(call: Call, ground: Ground, { group }: Record<string, unknown>): Promise<{ group?: string }> {
  if (group === undefined || group === null) return {}
  const ident = Array.isArray(group) ? group[0] : group
  const found = await groupOf(call, ground, String(ident)).catch(() => {
    throw new UserError(400, `Instance group ${String(ident).slice(0, 64)} could not be found.`)
  })
  return { group: found.uuid }
}

async function flavorForServer(call: Call, ground: Ground, reference: string): Promise<Flavor> {
  const id = reference.slice(reference.lastIndexOf('/') + 1)
  return flavorOf(call, ground, id).catch(() => {
    throw new UserError(400, `Invalid flavorRef provided: flavor ${id} could not be found.`)
  })
}

export async function imageFor(
  call: Call,
  ground: Ground,
  reference: string | undefined,
  flavor: Pick<Flavor, 'disk' | 'ram'>,
): Promise<string> {
  if (!reference)
    throw new UserError(
      400,
      'Invalid imageRef provided: a server needs an image, since there are no volumes to boot from.',
    )
  const id = reference.slice(reference.lastIndexOf('/') + 1)
  const { record } = await bootable(call, ground, id)
  // A flavor without a size takes what disk the node has.
  if (flavor.disk > 0 && flavor.disk < record.min_disk)
    throw new UserError(
      400,
      `Flavor's disk is too small for requested image: ${flavor.disk} GB, and it needs ${record.min_disk}.`,
    )
  if (flavor.ram < record.min_ram)
    throw new UserError(
      400,
      `Flavor's memory is too small for requested image: ${flavor.ram} MB, and it needs ${record.min_ram}.`,
    )
  return record.uuid
}

async function zoneFor({ table }: Ground, zone: string | null | undefined): Promise<string | null> {
  if (!zone || zone === 'nova') return null
  if (!(await isZone(table, zone))) throw new UserError(400, 'The requested availability zone is not available')
  return zone
}

async function keyFor(ground: Ground, user: string, name: string): Promise<Server['key']> {
  const { public_key } = await keypairOf(ground, { user, name }).catch(() => {
    throw new UserError(400, `Invalid key_name provided: ${name} is none of your key pairs.`)
  })
  return { name, public_key }
}

export async function nicsFor(
  call: Call,
  ground: Ground,
  asked: ServerCreation['networks'],
  count: number,
): Promise<Nic[]> {
  const { table, ids } = ground
  if (asked === 'none') return []
  if (asked === undefined || asked === 'auto' || asked.length === 0) {
    const own = (await all<Network>(table, { index: 'all', pk: 'networks' })).filter(
      (each) => (isTheirs(call, each) || each.shared) && !each.external,
    )
    if (own.length > 1)
      throw new UserError(409, 'Multiple possible networks found, use a Network ID to be more specific.')
    const [only] = own
    return only ? [{ port: ids.uuid(), network: only.uuid, fixed_ip: null, made: true }] : []
  }
  const nics: Nic[] = []
  for (const { uuid, port, fixed_ip: ip } of asked) {
    if (port !== undefined) {
      const found = await portOf(call, ground, port)
      if (found.device_id !== '') throw new UserError(409, `Port ${port} is still in use.`)
      if (count > 1) throw new UserError(400, 'Unable to launch multiple instances with a single configured port ID.')
      nics.push({ port, network: found.network_uuid, fixed_ip: null, made: false })
    } else {
      const network = uuid === undefined ? undefined : await networkStore.get(table, uuid)
      if (!network || !isVisible(call, network)) throw new UserError(400, `Network ${uuid ?? ''} could not be found.`)
      checkChoice(call, network, ip === undefined ? {} : { fixed_ips: [{ ip_address: ip }] })
      if (ip !== undefined && count > 1)
        throw new UserError(400, 'Invalid fixed IP: it is one, and the servers are several.')
      nics.push({ port: ids.uuid(), network: network.uuid, fixed_ip: ip ?? null, made: true })
    }
  }
  return nics
}
