import { UserError } from '../../contract/api/faults.ts'
import { isWithin, parseAddress } from '../../contract/address.ts'
import type { FixedIp, Network, NetworkPort, Subnet } from '../../contract/network.ts'
import { charging } from '../openstack/quotas.ts'
import { ConflictError, keyOf, type Platform, type Write } from '../platform.ts'
import { all } from '../store/paging.ts'
import { addressAt, eui64, macOf, placeOf, prefixOf, sizeOf } from './addressing.ts'
import { isSegmented } from './segment-places.ts'
import { addressesOf, addressKey, macKey, networkStore, portWrites, subnetsOf } from './store.ts'

/** What a port wants: addresses of its own choice, or some of a subnet; none said, one of each version that the network has. */
export interface Wanted {
  fixed_ips: Array<{ subnet_id?: string | undefined; ip_address?: string | undefined }> | undefined
  /** `null`: none of its own any more, but one that nobody has. */
  mac_address: string | null | undefined
}

const ATTEMPTS = 40
const RANDOM = 12

type Needs = Pick<Platform, 'table'>

/** Writes a new port, or one that changed, with the addresses and the MAC that it wants; what it didn't choose is what is free. Any number
 * may do so at once: addresses and MACs are items that must be absent, and who comes too late looks again. */
export async function takePort(
  platform: Needs,
  before: NetworkPort | undefined,
  base: NetworkPort,
  wanted: Wanted,
  also: Write[] = [],
): Promise<NetworkPort> {
  const counted = before ? platform.table : charging(platform.table, base.project_id, { port: 1 })
  const isTaking = !before || wanted.fixed_ips !== undefined || typeof wanted.mac_address === 'string'
  const isLeaving = !isTaking && wanted.mac_address === null
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const network = isTaking ? await openNetwork(platform.table, base.network_uuid) : undefined
    const where = isLeaving ? await networkStore.get(platform.table, base.network_uuid) : network
    const subnets = where ? await subnetsOf(platform.table, where) : []
    const kept = wanted.mac_address === null ? undefined : before?.mac_address
    const mac_address = wanted.mac_address ?? kept ?? macOf(base.uuid, attempt)
    const chosen = await addresses(platform, { before, base, subnets, wanted, attempt })
    const fixed_ips = chosen.map((ip) => ofCard(ip, subnets, mac_address))
    const isDeferred = !before && wanted.fixed_ips === undefined && isSegmented(subnets)
    const after: NetworkPort = { ...base, ...(isDeferred ? { deferred: true } : {}), fixed_ips, mac_address }
    const writes = [...portWrites(before, after), ...(network ? [unchanged(network)] : []), ...also]
    try {
      await counted.write(writes)
      return after
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      refuseChosen(writes[error.index], after, wanted, before)
    }
  }
  throw new UserError(409, `Network ${base.network_uuid} is being changed by many at once, please retry.`)
}

/** Whoever takes a network or a subnet away counts the network up first, and looks for ports then. */
const unchanged = ({ uuid, version }: Network): Write => ({ check: networkStore.key(uuid), expect: version })

async function openNetwork(table: Platform['table'], uuid: string): Promise<Network> {
  const network = await networkStore.get(table, uuid)
  if (!network) throw new UserError(404, `Network ${uuid} could not be found.`)
  if (network.closed)
    throw new UserError(409, `Network ${uuid} is being deleted; if that was interrupted, delete it again.`)
  return network
}

/** Where machines make their addresses by themselves, they are what the card makes them. */
function ofCard(ip: FixedIp, subnets: readonly Subnet[], mac: string): FixedIp {
  const subnet = subnets.find(({ uuid }) => uuid === ip.subnet_uuid)
  const isOwn = subnet?.ipv6_address_mode === 'slaac' || subnet?.ipv6_address_mode === 'dhcpv6-stateless'
  return subnet && isOwn ? { ...ip, ip_address: eui64(prefixOf(subnet), mac) } : ip
}

interface Search {
  before: NetworkPort | undefined
  base: NetworkPort
  subnets: Subnet[]
  wanted: Wanted
  attempt: number
}

async function addresses(platform: Needs, { before, base, subnets, wanted, attempt }: Search): Promise<FixedIp[]> {
  if (wanted.fixed_ips === undefined && before) return before.fixed_ips
  const asked = wanted.fixed_ips ?? oneOfEach(subnets.filter(({ segment_uuid: segment }) => segment === undefined))
  const found: FixedIp[] = []
  for (const [at, each] of asked.entries()) {
    const subnet = subnetFor(each, subnets, base.network_uuid)
    if (each.ip_address !== undefined) found.push({ subnet_uuid: subnet.uuid, ip_address: each.ip_address })
    else found.push(await freeOf(platform, subnet, `${base.uuid}/${at}`, attempt, found))
  }
  return found
}

export function oneOfEach(subnets: readonly Subnet[]): Array<{ subnet_id: string; ip_address?: string }> {
  const firsts = ([4, 6] as const).map((version) => subnets.find(({ ip_version: each }) => each === version))
  return firsts.flatMap((subnet) => (subnet ? [{ subnet_id: subnet.uuid }] : []))
}

function subnetFor(
  { subnet_id: id, ip_address: ip }: { subnet_id?: string | undefined; ip_address?: string | undefined },
  subnets: Subnet[],
  network: string,
): Subnet {
  const address = ip === undefined ? undefined : parseAddress(ip)
  if (ip !== undefined && !address) throw new UserError(400, `'${ip}' is not a valid IP address.`)
  const holds = (subnet: Subnet): boolean => !address || isWithin(prefixOf(subnet), address)
  const subnet = subnets.find((each) => (id === undefined || each.uuid === id) && holds(each))
  if (subnet) return subnet
  if (id !== undefined && !subnets.some(({ uuid }) => uuid === id))
    throw new UserError(404, `Subnet ${id} could not be found.`)
  throw new UserError(
    400,
    ip === undefined
      ? `Network ${network} has no subnet to take an address from.`
      : `IP address ${ip} is not a valid IP for ${id === undefined ? 'any of the subnets on the specified network' : 'the specified subnet'}.`,
  )
}

/** By chance while there is room; where there is little, the first that nobody has. */
async function freeOf(
  { table }: Needs,
  subnet: Subnet,
  port: string,
  attempt: number,
  mine: FixedIp[],
): Promise<FixedIp> {
  const { allocation_pools: pools, uuid: subnet_uuid } = subnet
  const isMine = (ip: string): boolean => mine.some(({ ip_address }) => ip_address === ip)
  if (attempt < RANDOM) {
    for (let look = 0; look < 4; look += 1) {
      const ip_address = addressAt(pools, placeOf(port, attempt * 4 + look))
      if (ip_address === undefined) break
      const one = { subnet_uuid, ip_address }
      if (!isMine(ip_address) && (await table.get(addressKey(one))) === undefined) return one
    }
  }
  const taken = new Set(
    (await all<{ ip_address: string }>(table, { pk: addressesOf(subnet_uuid) })).map(({ ip_address }) => ip_address),
  )
  const size = sizeOf(pools)
  const start = placeOf(port, attempt)
  for (let step = 0n; step < size && step <= BigInt(taken.size + mine.length); step += 1n) {
    const ip_address = addressAt(pools, start + step)
    if (ip_address !== undefined && !taken.has(ip_address) && !isMine(ip_address)) return { subnet_uuid, ip_address }
  }
  throw new UserError(409, `No more IP addresses available on network ${subnet.network_uuid}.`)
}

/** Of what was chosen by the caller there is no other to try. */
function refuseChosen(
  failed: Write | undefined,
  after: NetworkPort,
  wanted: Wanted,
  before: NetworkPort | undefined,
): void {
  const key = failed && keyOf(failed)
  if (!key || key.sk === 'network-port' || key.sk === 'trunk')
    throw new UserError(before ? 412 : 409, `Port ${after.uuid} was changed at the same moment, please retry.`)
  const mac = macKey(after.network_uuid, after.mac_address)
  if (key.pk === mac.pk && key.sk === mac.sk && typeof wanted.mac_address === 'string')
    throw new UserError(
      409,
      `Unable to complete operation for network ${after.network_uuid}. The mac address ${after.mac_address} is in use.`,
    )
  const clash = after.fixed_ips.find((ip) => addressKey(ip).sk === key.sk && key.pk === addressesOf(ip.subnet_uuid))
  if (clash && wanted.fixed_ips?.some(({ ip_address }) => ip_address === clash.ip_address))
    throw new UserError(409, `IP address ${clash.ip_address} already allocated in subnet ${clash.subnet_uuid}.`)
}
