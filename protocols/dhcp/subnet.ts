import { ipv4ToText } from '@bloomery/wire/address.ts'
import type { DhcpRequest } from './request.ts'

export interface Subnet {
  network: number
  prefix: number
  /** Ours, as this subnet's clients reach it: server identifier (option 54). */
  serverAddress: number
  first: number
  last: number
  router?: number
  dns: number[]
  leaseSeconds: number
  /** That its clients are on: with several, each is heard and answered on its own. Absent behind a relay. */
  device?: string
  /** Another server gives its addresses: we have no range, and only say what to boot (proxyDHCP). */
  proxy?: boolean
  /** Its clients are on a wire of ours where we have no address of it, so that only broadcasts reach them. */
  broadcastOnly?: boolean
}

export function mask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0
}

export function contains(subnet: Pick<Subnet, 'network' | 'prefix'>, address: number): boolean {
  return (address & mask(subnet.prefix)) >>> 0 === subnet.network
}

export function broadcastAddress(subnet: Subnet): number {
  return (subnet.network | ~mask(subnet.prefix)) >>> 0
}

const texts = new WeakMap<Subnet, string>()

/** As in 10.20.0.0/24; made once, as every line of the log has it. */
export function subnetText(subnet: Subnet): string {
  const known = texts.get(subnet)
  if (known !== undefined) return known
  const text = `${ipv4ToText(subnet.network)}/${subnet.prefix}`
  texts.set(subnet, text)
  return text
}

export function inRange(subnet: Subnet, address: number): boolean {
  return address >= subnet.first && address <= subnet.last
}

/**
 * The subnet that a client is on. A relay says so: link selection (RFC 3527) or giaddr. Without a relay it is a subnet that
 * we have an address in: ciaddr's if the client has one, else that of its reserved address, else the first.
 */
export function subnetFor<S extends Subnet>(
  subnets: readonly S[],
  request: DhcpRequest,
  reserved?: number,
): S | undefined {
  const { giaddr, ciaddr } = request.packet
  const relayed = request.relay.link ?? giaddr
  if (relayed !== 0) return subnets.find((subnet) => contains(subnet, relayed))
  if (ciaddr !== 0) return subnets.find((subnet) => contains(subnet, ciaddr)) ?? local(subnets)[0]
  const attached = local(subnets)
  const withReserved = reserved === undefined ? undefined : attached.find((subnet) => contains(subnet, reserved))
  return withReserved ?? attached[0]
}

function local<S extends Subnet>(subnets: readonly S[]): S[] {
  return subnets.filter((subnet) => contains(subnet, subnet.serverAddress))
}

/** What is heard on which device; one `undefined` hears everything, where no subnet names a device. */
export function byDevice(subnets: readonly Subnet[]): Map<string | undefined, readonly Subnet[]> {
  const devices = new Set(subnets.map(({ device }) => device).filter((device) => device !== undefined))
  if (devices.size === 0) return new Map([[undefined, subnets]])
  const heardOn = (name: string): Subnet[] => subnets.filter(({ device }) => device === undefined || device === name)
  return new Map([...devices].map((name) => [name, heardOn(name)]))
}
