import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { NetworkPort } from '../../contract/network.ts'
import type { Node } from '../../contract/resources.ts'
import { networkStore, portStore, subnetStore } from '../network/store.ts'
import { carriedBy } from '../network/trunk-ports.ts'
import type { Platform } from '../platform.ts'
import { portgroupStore } from '../store/portgroups.ts'
import { portsOf } from '../store/ports.ts'
import { baremetalOf } from './baremetal.ts'
import { hostName } from './naming.ts'
import { networkData, type Wired } from './network-data.ts'
import { wantedBy } from './schedule.ts'

/** Says on the node what it is to become, looks whether that can be, and has it deployed: the calls of Nova's driver (reference §5.7). */
export async function spawn(platform: Platform, server: Server, node: Node): Promise<void> {
  if (node.provision_state !== 'available') return // it was begun before an interruption
  const { nodes } = baremetalOf(platform)
  await nodes.patch(node.uuid, [{ op: 'replace', path: '/instance_info', value: instanceInfo(server) }])
  const validation = await nodes.validate(node.uuid)
  for (const name of ['deploy', 'power', 'storage'] as const) {
    const { result, reason } = validation[name] ?? { result: true, reason: null }
    if (result === false)
      throw new UserError(
        400,
        `Node ${node.name ?? node.uuid}: its ${name} interface refuses: ${reason ?? 'no reason'}`,
      )
  }
  // What it prints from now on can be read (openstack console log show), where there is a serial console.
  if (validation['console']?.result === true && !node.console_enabled)
    await nodes.setConsole(node.uuid, { enabled: true })
  await nodes.provision(node.uuid, 'active', { configdrive: await configDrive(platform, server) })
}

export function instanceInfo(server: Server): Record<string, unknown> {
  const { flavor, image, name, project_id, user_id } = server
  const capabilities = Object.fromEntries(wantedBy(flavor).capabilities.map(([key, value]) => [key, plain(value)]))
  return {
    ...(image === '' ? {} : { image_source: image }),
    root_gb: String(flavor.disk),
    swap_mb: String(flavor.swap),
    ...(flavor.ephemeral > 0 ? { ephemeral_gb: String(flavor.ephemeral) } : {}),
    display_name: name,
    vcpus: String(flavor.vcpus),
    memory_mb: String(flavor.ram),
    local_gb: String(flavor.disk),
    nova_host_id: 'bloomery',
    project_id,
    user_id,
    flavor_name: flavor.name,
    ...(Object.keys(capabilities).length > 0 ? { capabilities } : {}),
    traits: wantedBy(flavor).traits,
  }
}

/** Nova hands on the value without the operator of the filter. */
const plain = (value: string): string => value.replace(/^(<in>|<or>|s==|s!=|>=|<=|==|!=|=)\s+/, '')

/** What a guest reads: who it is, its addresses, its owner's key and data. */
export async function configDrive(platform: Platform, server: Server) {
  const { uuid, name, key, metadata, project_id, availability_zone, site, user_data } = server
  const user = user_data === null ? {} : { user_data: Buffer.from(user_data, 'base64').toString('utf8') }
  const keys = key
    ? { public_keys: { [key.name]: key.public_key }, keys: [{ name: key.name, type: 'ssh', data: key.public_key }] }
    : {}
  return {
    meta_data: {
      uuid,
      name,
      hostname: server.hostname ?? hostName(name),
      launch_index: 0,
      availability_zone: availability_zone ?? site ?? 'nova',
      project_id,
      meta: metadata,
      devices: [],
      dedicated_cpus: [],
      ...keys,
    },
    network_data: networkData(await wiredOf(platform, server)),
    ...user,
  }
}

async function wiredOf({ table }: Platform, { nics }: Server): Promise<Wired[]> {
  const wired: Wired[] = []
  for (const { port: uuid } of nics) {
    const port = await portStore.get(table, uuid)
    if (!port) throw new UserError(404, `Port ${uuid} could not be found.`)
    const carried = (await carriedBy(table, port)).map(async ({ port: sub, vlan }) => ({
      ...(await reached(table, sub)),
      vlan,
    }))
    wired.push({
      ...(await reached(table, port)),
      bond: await bondOf(table, port),
      carried: await Promise.all(carried),
    })
  }
  return wired
}

async function reached(
  table: Platform['table'],
  port: NetworkPort,
): Promise<Pick<Wired, 'port' | 'network' | 'addresses'>> {
  const network = await networkStore.get(table, port.network_uuid)
  if (!network) throw new UserError(404, `Network ${port.network_uuid} could not be found.`)
  return { port, network, addresses: await addressesOf(table, port) }
}

async function bondOf(table: Platform['table'], { bound }: NetworkPort): Promise<Wired['bond']> {
  const group = bound ? await portgroupStore.get(table, bound.port) : undefined
  if (!group) return undefined
  const cards = (await portsOf(table, group.node_uuid)).filter(({ portgroup_uuid: of }) => of === group.uuid)
  return { mode: group.mode, properties: group.properties, members: cards.map(({ address }) => address).sort() }
}

async function addressesOf(table: Platform['table'], { fixed_ips: ips }: NetworkPort): Promise<Wired['addresses']> {
  const found = await Promise.all(ips.map(async (ip) => ({ ip, subnet: await subnetStore.get(table, ip.subnet_uuid) })))
  return found.flatMap(({ ip, subnet }) => (subnet ? [{ ip_address: ip.ip_address, subnet }] : []))
}
