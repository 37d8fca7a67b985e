import type { NetworkPort } from '../../contract/network.ts'
import type { Server } from '../../contract/compute.ts'
import type { Call } from '../openstack/context.ts'
import { hostName, HOSTNAMES } from './naming.ts'
import { PATH } from './path.ts'

/** Servers as Nova shows them. Pure. */

export interface Addresses {
  network: string
  ports: NetworkPort[]
}

export function linksOf(call: Call, { uuid }: Pick<Server, 'uuid'>) {
  return [
    { rel: 'self', href: `${call.var.base}${PATH}/servers/${uuid}` },
    { rel: 'bookmark', href: `${call.var.base}/compute/servers/${uuid}` },
  ]
}

/** The word of Nova's `status`. */
export function statusOf({ state, task, power }: Pick<Server, 'state' | 'task' | 'power'>): string {
  if (task === 'rebuilding') return 'REBUILD'
  if (task === 'rebooting') return 'REBOOT'
  if (task === 'rebooting hard') return 'HARD_REBOOT'
  if (state === 'building') return 'BUILD'
  if (state === 'error') return 'ERROR'
  if (state === 'rescued') return 'RESCUE'
  return power === 'power off' ? 'SHUTOFF' : 'ACTIVE'
}

const taskNames: Record<NonNullable<Server['task']>, string> = {
  scheduling: 'scheduling',
  networking: 'networking',
  attaching: 'block_device_mapping',
  spawning: 'spawning',
  deploying: 'spawning',
  failing: 'scheduling',
  deleting: 'deleting',
  rebuilding: 'rebuild_spawning',
  rescuing: 'rescuing',
  unrescuing: 'unrescuing',
  rebooting: 'rebooting',
  'rebooting hard': 'rebooting_hard',
  'powering off': 'powering-off',
  'powering on': 'powering-on',
  plugging: 'block_device_mapping',
  unplugging: 'block_device_mapping',
}
const powerNumbers = { 'power on': 1, 'power off': 4 } as const

export function serverView(call: Call, server: Server, addresses: readonly Addresses[], asAdmin: boolean) {
  const { uuid, name, project_id, user_id, flavor, image, key, metadata, state, task, node, site, power, fault } =
    server
  const { minor } = call.var
  const status = statusOf(server)
  const vmState = state === 'active' && power === 'power off' ? 'stopped' : state
  const { swap, ephemeral, extra_specs, ram, vcpus, disk } = flavor
  return {
    id: uuid,
    name,
    status,
    tenant_id: project_id,
    user_id,
    metadata,
    hostId: node ?? '',
    image:
      image === ''
        ? ''
        : { id: image, links: [{ rel: 'bookmark', href: `${call.var.base}/image/v2/images/${image}` }] },
    flavor:
      minor >= 47
        ? { vcpus, ram, disk, ephemeral, swap, original_name: flavor.name, extra_specs }
        : { id: flavor.uuid, links: [{ rel: 'bookmark', href: `${call.var.base}/compute/flavors/${flavor.uuid}` }] },
    created: whole(server.created_at),
    updated: whole(server.updated_at ?? server.created_at),
    addresses: Object.fromEntries(addresses.map(({ network, ports }) => [network, ports.flatMap(addressesOf)])),
    accessIPv4: server.access_ipv4 ?? '',
    accessIPv6: server.access_ipv6 ?? '',
    links: linksOf(call, server),
    key_name: key?.name ?? null,
    config_drive: 'True',
    progress: status === 'BUILD' ? 0 : 100,
    'OS-DCF:diskConfig': 'MANUAL',
    'OS-EXT-AZ:availability_zone': site ?? server.availability_zone ?? '',
    'OS-EXT-STS:vm_state': vmState,
    'OS-EXT-STS:task_state': task === null ? null : taskNames[task],
    'OS-EXT-STS:power_state': power === null ? 0 : powerNumbers[power],
    'OS-SRV-USG:launched_at': server.launched_at === null ? null : server.launched_at.slice(0, -1),
    'OS-SRV-USG:terminated_at': null,
    'os-extended-volumes:volumes_attached': (server.volumes ?? []).map((each) => ({
      id: each.volume,
      ...(minor >= 3 ? { delete_on_termination: each.delete_on_termination } : {}),
    })),
    security_groups: [],
    ...(status === 'ERROR' && fault ? { fault } : {}),
    ...(minor >= 9 ? { locked: server.locked } : {}),
    ...(minor >= 19 ? { description: server.description } : {}),
    ...(minor >= 26 ? { tags: server.tags ?? [] } : {}),
    ...(minor >= 63 ? { trusted_image_certificates: null } : {}),
    ...(minor >= 71 ? { server_groups: server.group ? [server.group] : [] } : {}),
    ...(minor >= 73 ? { locked_reason: server.locked_reason ?? null } : {}),
    ...(minor >= 96 ? { pinned_availability_zone: server.availability_zone } : {}),
    ...(asAdmin
      ? {
          'OS-EXT-SRV-ATTR:host': site,
          'OS-EXT-SRV-ATTR:hypervisor_hostname': node,
          'OS-EXT-SRV-ATTR:instance_name': `instance-${uuid.slice(0, 8)}`,
          ...(minor >= 3 ? detailsOf(server) : {}),
        }
      : {}),
    ...(minor >= (asAdmin ? 3 : HOSTNAMES) ? { 'OS-EXT-SRV-ATTR:hostname': server.hostname ?? hostName(name) } : {}),
  }
}

const detailsOf = ({ reservation_id: reservation, user_data: data }: Server) => ({
  'OS-EXT-SRV-ATTR:reservation_id': reservation ?? '',
  'OS-EXT-SRV-ATTR:launch_index': 0,
  'OS-EXT-SRV-ATTR:kernel_id': '',
  'OS-EXT-SRV-ATTR:ramdisk_id': '',
  'OS-EXT-SRV-ATTR:root_device_name': null,
  'OS-EXT-SRV-ATTR:user_data': data,
})

const whole = (instant: string): string => `${instant.slice(0, 19)}Z`

function addressesOf({ fixed_ips: ips, mac_address: mac }: NetworkPort) {
  return ips.map(({ ip_address: addr }) => ({
    version: addr.includes(':') ? 6 : 4,
    addr,
    'OS-EXT-IPS:type': 'fixed',
    'OS-EXT-IPS-MAC:mac_addr': mac,
  }))
}
