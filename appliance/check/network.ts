import { ipv4ToText } from '@bloomery/wire/address.ts'
import { contains } from '@bloomery/dhcp/subnet.ts'
import type { BootConfig } from '../boot/config.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** The host's addresses by interface, as `os.networkInterfaces` tells them. */
export type Interfaces = Readonly<Record<string, { address: string }[] | undefined>>

const LEAST_MTU = 1_500
const DATAGRAM = 'FFFFFFFF'

/** Every address that machines are told must be this host's own. */
export function checkAddresses(config: BootConfig, interfaces: Interfaces): Finding[] {
  const own = new Set(Object.values(interfaces).flatMap((each) => each?.map(({ address }) => address) ?? []))
  const wanted = new Set([config.nextServer, ...config.subnets.map(({ serverAddress }) => ipv4ToText(serverAddress))])
  if (config.ipv6 !== undefined) wanted.add(config.ipv6.address)
  return [...wanted].map((address) =>
    own.has(address)
      ? ok('address', `${address} is this host's`)
      : failed(
          'address',
          `${address} is on no interface`,
          `ip address add ${address}/… dev …, or correct the configuration`,
        ),
  )
}

/** The interface of each attached subnet. */
export function provisioningInterfaces(config: BootConfig, interfaces: Interfaces): string[] {
  const attached = config.subnets.filter((subnet) => contains(subnet, subnet.serverAddress))
  const addresses = new Set(attached.map(({ serverAddress }) => ipv4ToText(serverAddress)))
  return Object.entries(interfaces)
    .filter(([, each]) => each?.some(({ address }) => addresses.has(address)))
    .map(([name]) => name)
}

export function checkMtu(name: string, mtu: number): Finding {
  if (mtu >= LEAST_MTU) return ok('MTU', `${name} takes ${mtu} bytes`)
  return failed(
    'MTU',
    `${name} takes ${mtu} bytes; firmware sends ${LEAST_MTU}`,
    `ip link set ${name} mtu ${LEAST_MTU}`,
  )
}

/** DHCP's broadcasts leave by the route to 255.255.255.255, whose table is /proc/net/route. */
export function checkBroadcastRoute(table: string, provisioning: readonly string[]): Finding {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
  const limited = rows.find(([, destination, , , , , , mask]) => destination === DATAGRAM && mask === DATAGRAM)
  const fallback = rows.find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
  const leaves = (limited ?? fallback)?.[0]
  const [first = 'the provisioning interface'] = provisioning
  if (leaves !== undefined && provisioning.includes(leaves)) return ok('broadcasts', `leave by ${leaves}`)
  const remedy = `ip route add 255.255.255.255 dev ${first}`
  if (provisioning.length === 0) return ok('broadcasts', 'no subnet is attached: machines come by way of relays')
  if (leaves === undefined) return failed('broadcasts', 'no route carries 255.255.255.255', remedy)
  return failed('broadcasts', `leave by ${leaves}, not by ${provisioning.join(' or ')}`, remedy)
}

export function checkForeignServers(found: readonly string[]): Finding {
  if (found.length === 0) return ok('other DHCP servers', 'none offered an address')
  return warning(
    'other DHCP servers',
    `${found.join(', ')} offered an address`,
    'turn it off on this network, or set mode proxy for the subnet if it shall give the addresses',
  )
}
