import { UserError } from '../../contract/api/faults.ts'
import {
  formatAddress,
  formatPrefix,
  isWithin,
  overlap,
  parseAddress,
  parsePrefix,
  type Prefix,
} from '../../contract/address.ts'
import type { Network, Subnet } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { charging } from '../openstack/quotas.ts'
import { mayChange, requireMember } from '../openstack/rights.ts'
import { ConflictError, type Table, type Write } from '../platform.ts'
import { checkPools, defaultGateway, defaultPools, prefixOf } from './addressing.ts'
import { subnetCreation, subnetUpdate } from './input.ts'
import { changed, defined, isVisible, networkOf, PATH } from './networks.ts'
import { segmentsOf } from './segment-places.ts'
import { addressesOf, networkStore, subnetsOf, subnetStore } from './store.ts'
import { subnetView } from './views.ts'

/** So that a network goes with all of them in one transaction. */
const MOST_SUBNETS = 64

export function subnetRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/subnets`
  app.get(path, async (call) => {
    const query = asked(call)
    const { values, next } = await pageOf(
      table,
      subnetStore,
      query,
      undefined,
      () => true, // asked of their networks below
      (each) => matches(subnetView(each), query.filters),
    )
    const visible = await Promise.all(values.map((each) => isShown(call, ground, each)))
    const subnets = values.filter((_, at) => visible[at]).map(subnetView)
    const links = nextLink(call, path, next)
    return call.json({ subnets, ...(links.length > 0 ? { subnets_links: links } : {}) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'create_subnet')
    const given = subnetCreation.parse(await readJson(call)).subnet
    const network = await networkOf(call, ground, given.network_id)
    if (!mayChange(call, network)) throw new UserError(403, "Policy doesn't allow create_subnet to be performed.")
    const prefix = checkedPrefix(given.cidr, given.ip_version)
    for (const other of await subnetsOf(table, network))
      if (overlap(prefix, prefixOf(other)))
        throw new UserError(
          400,
          `Invalid input for operation: Requested subnet with cidr: ${formatPrefix(prefix)} for network: ${network.uuid} overlaps with another subnet: ${other.cidr}.`,
        )
    const gateway = given.gateway_ip === undefined ? defaultGateway(prefix) : given.gateway_ip
    const subnet: Subnet = {
      uuid: ids.uuid(),
      name: given.name ?? '',
      description: given.description ?? '',
      project_id: network.project_id,
      tags: [],
      network_uuid: network.uuid,
      ip_version: given.ip_version,
      cidr: formatPrefix(prefix),
      gateway_ip: gateway,
      allocation_pools: given.allocation_pools ?? defaultPools(prefix, gateway),
      dns_nameservers: given.dns_nameservers ?? [],
      host_routes: given.host_routes ?? [],
      enable_dhcp: given.enable_dhcp ?? true,
      ipv6_ra_mode: given.ipv6_ra_mode ?? null,
      ipv6_address_mode: given.ipv6_address_mode ?? null,
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    if (given.segment_id != null) subnet.segment_uuid = given.segment_id
    check(prefix, subnet)
    await checkSegment(table, network, subnet)
    await addSubnet(table, network, subnet)
    log.info({ subnet: subnet.uuid, network: network.uuid, cidr: subnet.cidr }, 'subnet created')
    return call.json({ subnet: subnetView(subnet) }, 201)
  })
  app.get(`${path}/:subnet`, async (call) =>
    call.json({ subnet: subnetView(await subnetOf(call, ground, call.req.param('subnet'))) }),
  )
  app.put(`${path}/:subnet`, async (call) => {
    const before = await changeable(call, ground, call.req.param('subnet'), 'update_subnet')
    const {
      service_types: _none,
      dns_publish_fixed_ip: _not,
      segment_id: segment,
      ...given
    } = subnetUpdate.parse(await readJson(call)).subnet
    const after: Subnet = {
      ...before,
      ...defined(given),
      ...(segment === undefined ? {} : { segment_uuid: segment }),
      updated_at: clock.now().toISOString(),
      version: before.version + 1,
    }
    check(prefixOf(after), after)
    if (after.segment_uuid !== before.segment_uuid) await moveToSegment(table, before, after)
    else if (!(await subnetStore.save(table, before, after))) throw changed('Subnet', before.uuid)
    return call.json({ subnet: subnetView(after) })
  })
  app.delete(`${path}/:subnet`, async (call) => {
    const subnet = await changeable(call, ground, call.req.param('subnet'), 'delete_subnet')
    await removeSubnet(table, subnet)
    log.info({ subnet: subnet.uuid, network: subnet.network_uuid }, 'subnet deleted')
    return call.body(null, 204)
  })
}

/** Of a network's subnets all or none say on which segment they are. */
async function checkSegment(table: Table, network: Network, subnet: Subnet): Promise<void> {
  const others = (await subnetsOf(table, network)).filter(({ uuid }) => uuid !== subnet.uuid)
  if (others.some((each) => (each.segment_uuid === undefined) !== (subnet.segment_uuid === undefined)))
    throw new UserError(
      400,
      `All of the subnets on network '${network.uuid}' must either all be associated with segments or all not associated with any segment.`,
    )
  if (subnet.segment_uuid === undefined) return
  if (!(await segmentsOf(table, network)).some(({ uuid }) => uuid === subnet.segment_uuid))
    throw new UserError(404, `Segment ${subnet.segment_uuid} of network ${network.uuid} could not be found.`)
}

/** Neutron's rule: once, while the network has but one segment. The network is counted up, as by a new subnet. */
async function moveToSegment(table: Table, before: Subnet, after: Subnet): Promise<void> {
  const network = await networkStore.get(table, before.network_uuid)
  if (!network) throw changed('Subnet', before.uuid)
  if (before.segment_uuid !== undefined)
    throw new UserError(400, `A subnet that is already associated with a segment cannot have its segment changed.`)
  if ((network.segments ?? []).length > 0)
    throw new UserError(
      400,
      `The network '${network.uuid}' has multiple segments, so that a subnet cannot be associated with one any more.`,
    )
  await checkSegment(table, network, after)
  const counted = { ...network, version: network.version + 1 }
  await write(table, network, [...subnetStore.writes(before, after), ...networkStore.writes(network, counted)])
}

/** A network names its subnets; who makes another at the same moment has to look again whether they overlap. */
async function addSubnet(table: Table, network: Network, subnet: Subnet): Promise<void> {
  if (network.closed) throw new UserError(409, `Network ${network.uuid} is being deleted.`)
  if (network.subnets.length >= MOST_SUBNETS)
    throw new UserError(409, `Network ${network.uuid} has ${MOST_SUBNETS} subnets already, which is the most.`)
  const after = { ...network, subnets: [...network.subnets, subnet.uuid], version: network.version + 1 }
  const counted = charging(table, subnet.project_id, { subnet: 1 })
  await write(counted, network, [...subnetStore.writes(undefined, subnet), ...networkStore.writes(network, after)])
}

/** The network forgets it first, so that no port takes an address of it while it is looked whether one has. */
export async function removeSubnet(table: Table, subnet: Subnet): Promise<void> {
  await refuseUsed(table, subnet)
  const named = async (isNamed: boolean): Promise<void> => {
    const network = await networkStore.get(table, subnet.network_uuid)
    const others = network?.subnets.filter((uuid) => uuid !== subnet.uuid)
    if (!network || !others || network.subnets.includes(subnet.uuid) === isNamed) return
    const after = { ...network, subnets: isNamed ? [...others, subnet.uuid] : others, version: network.version + 1 }
    await write(table, network, networkStore.writes(network, after))
  }
  await named(false)
  await refuseUsed(table, subnet).catch(async (error: unknown) => {
    await named(true)
    throw error
  })
  await subnetStore.remove(charging(table, subnet.project_id, { subnet: -1 }), subnet)
}

async function write(table: Table, network: Network, writes: Write[]): Promise<void> {
  await table.write(writes).catch((error: unknown) => {
    throw error instanceof ConflictError ? changed('Network', network.uuid) : error
  })
}

async function refuseUsed(table: Table, { uuid }: Subnet): Promise<void> {
  const { items } = await table.query({ pk: addressesOf(uuid), limit: 1 })
  if (items.length > 0)
    throw new UserError(
      409,
      `Unable to complete operation on subnet ${uuid}: One or more ports have an IP allocation from this subnet.`,
    )
}

function checkedPrefix(cidr: string, version: 4 | 6): Prefix {
  const prefix = parsePrefix(cidr)
  if (!prefix || prefix.version !== version)
    throw new UserError(400, `Invalid input for cidr. Reason: '${cidr}' is not a valid IPv${version} subnet.`)
  if (prefix.length === 0) throw new UserError(400, `Invalid input for cidr. Reason: '${cidr}' is everything.`)
  return prefix
}

function check(prefix: Prefix, subnet: Subnet): void {
  const {
    gateway_ip: gateway,
    allocation_pools: pools,
    enable_dhcp: dhcp,
    ipv6_ra_mode: ra,
    ipv6_address_mode: mode,
  } = subnet
  const address = gateway === null ? undefined : parseAddress(gateway)
  if (address && address.version !== prefix.version)
    throw new UserError(400, `Gateway ${gateway} is of another IP version than the subnet.`)
  if (address && address.version === 4 && !isWithin(prefix, address))
    throw new UserError(400, `Gateway ${gateway} is not valid on subnet ${subnet.cidr}.`)
  if (
    address &&
    isWithin(prefix, address) &&
    address.value === prefix.base &&
    prefix.length < (prefix.version === 4 ? 31 : 127)
  )
    throw new UserError(400, `Gateway ${formatAddress(address)} is the subnet's own address.`)
  checkPools(prefix, pools, gateway)
  if ((ra !== null || mode !== null) && prefix.version === 4)
    throw new UserError(400, 'ipv6_ra_mode and ipv6_address_mode are for subnets of IPv6.')
  if ((ra !== null || mode !== null) && !dhcp)
    throw new UserError(400, 'ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.')
  if ((mode === 'slaac' || mode === 'dhcpv6-stateless') && prefix.length !== 64)
    throw new UserError(
      400,
      `Invalid CIDR ${subnet.cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64.`,
    )
  if (ra !== null && mode !== null && ra !== mode)
    throw new UserError(400, `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${mode}' is not valid.`)
}

async function isShown(call: Call, { table }: Ground, { network_uuid: network }: Subnet): Promise<boolean> {
  const found = await networkStore.get(table, network)
  return found !== undefined && isVisible(call, found)
}

export async function subnetOf(call: Call, ground: Ground, id: string): Promise<Subnet> {
  const subnet = await subnetStore.get(ground.table, id)
  if (!subnet || !(await isShown(call, ground, subnet))) throw new UserError(404, `Subnet ${id} could not be found.`)
  return subnet
}

async function changeable(call: Call, ground: Ground, id: string, what: string): Promise<Subnet> {
  const subnet = await subnetOf(call, ground, id)
  if (!mayChange(call, subnet)) throw new UserError(403, `Policy doesn't allow ${what} to be performed.`)
  return subnet
}
