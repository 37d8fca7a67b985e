import type { Network, NetworkPort, Subnet } from '../../contract/network.ts'
import type { Node } from '../../contract/resources.ts'
import type { TenantPort } from '../../contract/tenant-port.ts'
import { keeperOf } from '../conductor/choose.ts'
import { type Change, ConflictError, type Item, type Key, type Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { enqueueAll, type Unnumbered } from '../store/commands.ts'
import { getNode } from '../store/nodes.ts'
import { all } from '../store/paging.ts'
import { encodeOption } from './dhcp-options.ts'
import { networkPortsOn, networkStore, portsOfDevice, portStore, subnetStore } from './store.ts'

/** Sites hear of the ports that their machines have, so that their DHCP says what the API does. What was said of each port, and to
 * which appliance, is an item of its own, written with the command. */

const ACCEPT_SECONDS = 7 * 24 * 3600
const ATTEMPTS = 30

interface Told {
  appliance: string
  generation: number
  wanted: TenantPort | null
}
const toldKey = (port: string): Key => ({ pk: `told-port#${port}`, sk: 'told-port' })

export async function tenantPortsChanged(platform: Platform, changes: readonly Change[]): Promise<void> {
  const concerned = new Set<string>()
  for (const change of changes) for (const port of await portsOf(platform, change)) concerned.add(port)
  for (const port of concerned) await tellPort(platform, port)
}

async function portsOf({ table }: Platform, { key, before, after }: Change): Promise<string[]> {
  if (key.sk === 'network-port') {
    const [was, is] = [before?.value as NetworkPort | undefined, after?.value as NetworkPort | undefined]
    return (was?.bound ?? is?.bound) ? [(is ?? was)?.uuid ?? ''] : []
  }
  if (key.sk === 'node') {
    const [was, is] = [before?.value as Node | undefined, after?.value as Node | undefined]
    if (!is?.instance_uuid || (was && was.keeper === is.keeper && was.conductor_group === is.conductor_group)) return []
    return (await portsOfDevice(table, is.instance_uuid)).map(({ uuid }) => uuid)
  }
  // What is new has no ports yet, and what is gone has none any more.
  if (!before || !after || (key.sk !== 'network' && key.sk !== 'subnet')) return []
  const network = key.sk === 'network' ? (after.value as Network).uuid : (after.value as Subnet).network_uuid
  const ports = await all<NetworkPort>(table, networkPortsOn(network))
  return ports.filter(({ bound }) => bound).map(({ uuid }) => uuid)
}

/** Whoever is to know of it is told, and who knew before is told that it is gone; of what is known already nothing is said. */
async function tellPort(platform: Platform, uuid: string): Promise<void> {
  const { table, log } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const item = await table.get(toldKey(uuid))
    const told = item?.value as Told | undefined
    const wanted = await wantedOf(platform, uuid)
    const appliance = wanted ? ((await keeper(platform, wanted.node)) ?? told?.appliance) : told?.appliance
    if (appliance === undefined) return // a site without appliances: the node's change, when it has one, brings us here again
    const isSame = told?.appliance === appliance && JSON.stringify(told.wanted) === JSON.stringify(wanted)
    if (isSame || (!told && !wanted)) return
    const now: Told = { appliance, generation: (told?.generation ?? 0) + 1, wanted }
    const command = commandOf(platform, uuid, now)
    const leaves = told && told.appliance !== appliance && told.wanted ? told.appliance : undefined
    const put: Item = { ...toldKey(uuid), version: (item?.version ?? 0) + 1, value: now }
    const expect = item?.version ?? 'absent'
    try {
      await table.write([
        wanted ? { put, expect } : { delete: toldKey(uuid), expect },
        ...(await enqueueAll(table, appliance, [command])),
        ...(leaves === undefined ? [] : await enqueueAll(table, leaves, [{ ...command, wanted: null }])),
      ])
      log.info({ port: uuid, node: wanted?.node, appliance, generation: now.generation }, 'port told to its site')
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`port ${uuid}: its command could not be stored`) // comes again
}

function commandOf(
  { ids, clock }: Platform,
  port: string,
  { generation, wanted }: Told,
): Unnumbered & { kind: 'tenant_port' } {
  const now = clock.now()
  const deadline = new Date(now.getTime() + ACCEPT_SECONDS * 1000).toISOString()
  const base = { id: ids.uuid(), node: port, generation, issued_at: now.toISOString(), deadline }
  return { ...base, kind: 'tenant_port', wanted }
}

async function keeper({ table, clock }: Platform, uuid: string): Promise<string | undefined> {
  const node = await getNode(table, uuid)
  if (!node || node.conductor_group === '') return undefined
  return keeperOf(node, await appliancesOf(table, node.conductor_group), clock.now())?.uuid
}

async function wantedOf({ table }: Platform, uuid: string): Promise<TenantPort | null> {
  const port = await portStore.get(table, uuid)
  if (port?.service) return null // its plan says which address its ramdisk has
  const network = port?.bound && (await networkStore.get(table, port.network_uuid))
  if (!port?.bound || !network) return null
  const found = await Promise.all(
    port.fixed_ips.map(async (ip) => ({ ip, subnet: await subnetStore.get(table, ip.subnet_uuid) })),
  )
  const [first] = port.fixed_ips
  return {
    node: port.bound.node,
    mac: port.mac_address,
    hostname: port.dns_name || (first ? hostOf(first.ip_address) : ''),
    domain: network.dns_domain.replace(/\.$/, '') || 'openstacklocal',
    mtu: network.mtu,
    addresses: found.flatMap(({ ip, subnet }) => (subnet?.enable_dhcp ? [addressOf(ip.ip_address, subnet)] : [])),
    options: port.extra_dhcp_opts.map(encodeOption),
  }
}

const hostOf = (ip: string): string => `host-${ip.replaceAll(/[.:]/g, '-')}`

function addressOf(address: string, subnet: Subnet): TenantPort['addresses'][number] {
  const { cidr, gateway_ip: gateway, dns_nameservers: dns, host_routes: routes } = subnet
  return {
    address,
    cidr,
    gateway,
    dns,
    routes,
    mode: subnet.ipv6_address_mode,
    advertised: subnet.ipv6_ra_mode !== null,
  }
}
