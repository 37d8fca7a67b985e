import { isIPv4, isIPv6 } from 'node:net'

/** IP addresses and prefixes as numbers. Pure. */

export type IpVersion = 4 | 6
export interface Address {
  version: IpVersion
  value: bigint
}
/** `base`: its first address. */
export interface Prefix {
  version: IpVersion
  base: bigint
  length: number
}

export const bitsOf = (version: IpVersion): number => (version === 4 ? 32 : 128)

/** Undefined: it is no address. Zones (`%eth0`) and IPv4 in shorthand are none. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { version: 4, value: joined(text.split('.').map(Number), 8n) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  // The URL parser writes every form, with dotted ends too, in the one of RFC 5952.
  const plain = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return { version: 6, value: joined([...before, ...zeros, ...after], 16n) }
}

function joined(parts: number[], bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(part), 0n)
}

export function formatAddress({ version, value }: Address): string {
  const [count, bits] = version === 4 ? [4, 8n] : [8, 16n]
  const parts = Array.from(
    { length: count },
    (_, at) => (value >> (BigInt(count - 1 - at) * bits)) & ((1n << bits) - 1n),
  )
  if (version === 4) return parts.join('.')
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1)
}

/** Bits behind the prefix are cleared. Undefined: it is no prefix in CIDR notation. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, ip, digits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const address = ip === undefined ? undefined : parseAddress(ip)
  const length = Number(digits)
  if (!address || length > bitsOf(address.version)) return undefined
  return { version: address.version, base: address.value & ~hostMask(address.version, length), length }
}

const hostMask = (version: IpVersion, length: number): bigint => (1n << BigInt(bitsOf(version) - length)) - 1n

export function formatPrefix({ version, base, length }: Prefix): string {
  return `${formatAddress({ version, value: base })}/${length}`
}

export function lastOf({ version, base, length }: Prefix): bigint {
  return base | hostMask(version, length)
}

export function isWithin(prefix: Prefix, { version, value }: Address): boolean {
  return version === prefix.version && value >= prefix.base && value <= lastOf(prefix)
}

export function overlap(one: Prefix, other: Prefix): boolean {
  return one.version === other.version && one.base <= lastOf(other) && other.base <= lastOf(one)
}
