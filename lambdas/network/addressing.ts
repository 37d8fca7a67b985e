import { createHash } from 'node:crypto'
import { UserError } from '../../contract/api/faults.ts'
import { formatAddress, isWithin, lastOf, parseAddress, type Prefix, parsePrefix } from '../../contract/address.ts'
import type { Range, Subnet } from '../../contract/network.ts'

/** Which addresses a subnet has to give. Pure. */

export function prefixOf({ cidr }: Pick<Subnet, 'cidr'>): Prefix {
  const prefix = parsePrefix(cidr)
  if (!prefix) throw new UserError(400, `Invalid input for cidr. Reason: '${cidr}' is not a valid IP subnet.`)
  return prefix
}

/** The first and last that hosts may have: IPv4 keeps the network's own and broadcast, IPv6 the routers' anycast (RFC 4291 §2.6.1). */
export function hostsOf(prefix: Prefix): { first: bigint; last: bigint } {
  const last = lastOf(prefix)
  const isPoint = last - prefix.base < 2n
  if (isPoint) return { first: prefix.base, last }
  return { first: prefix.base + 1n, last: prefix.version === 4 ? last - 1n : last }
}

export function defaultGateway(prefix: Prefix): string {
  return formatAddress({ version: prefix.version, value: hostsOf(prefix).first })
}

/** All but the gateway. */
export function defaultPools(prefix: Prefix, gateway: string | null): Range[] {
  const { first, last } = hostsOf(prefix)
  const at = gateway === null ? undefined : parseAddress(gateway)?.value
  const spans: [bigint, bigint][] =
    at === undefined || at < first || at > last
      ? [[first, last]]
      : [
          [first, at - 1n],
          [at + 1n, last],
        ]
  const text = (value: bigint): string => formatAddress({ version: prefix.version, value })
  return spans.filter(([from, to]) => from <= to).map(([from, to]) => ({ start: text(from), end: text(to) }))
}

/** Throws where a pool is not inside, upside down, over another, or over the gateway. */
export function checkPools(prefix: Prefix, pools: readonly Range[], gateway: string | null): void {
  const spans = pools.map(({ start, end }) => ({ start, end, from: valueIn(prefix, start), to: valueIn(prefix, end) }))
  const { first, last } = hostsOf(prefix)
  for (const { start, end, from, to } of spans) {
    if (from > to || from < first || to > last)
      throw new UserError(400, `The allocation pool ${start}-${end} spans beyond the subnet cidr.`)
  }
  const sorted = spans.toSorted((a, b) => (a.from < b.from ? -1 : 1))
  for (const [at, span] of sorted.entries()) {
    const before = sorted[at - 1]
    if (before && before.to >= span.from)
      throw new UserError(
        409,
        `Found overlapping allocation pools: ${before.start}-${before.end}, ${span.start}-${span.end}.`,
      )
  }
  const own = gateway === null ? undefined : parseAddress(gateway)?.value
  const over = own === undefined ? undefined : spans.find(({ from, to }) => own >= from && own <= to)
  if (over) throw new UserError(409, `Gateway ip ${gateway} conflicts with allocation pool ${over.start}-${over.end}.`)
}

function valueIn(prefix: Prefix, text: string): bigint {
  const address = parseAddress(text)
  if (!address || !isWithin(prefix, address)) throw new UserError(400, `${text} is not an address of the subnet.`)
  return address.value
}

export function sizeOf(pools: readonly Range[]): bigint {
  return pools.reduce(
    (sum, { start, end }) => sum + (parseAddress(end)?.value ?? 0n) - (parseAddress(start)?.value ?? 0n) + 1n,
    0n,
  )
}

/** The one at a place in the pools, which is taken as it comes round. */
export function addressAt(pools: readonly Range[], place: bigint): string | undefined {
  const size = sizeOf(pools)
  if (size === 0n) return undefined
  let left = ((place % size) + size) % size
  for (const { start, end } of pools) {
    const [from, to] = [parseAddress(start), parseAddress(end)]
    if (!from || !to) return undefined
    const length = to.value - from.value + 1n
    if (left < length) return formatAddress({ version: from.version, value: from.value + left })
    left -= length
  }
  return undefined
}

/** Where a port begins to look: spread, so that creators at the same moment don't all try the same. */
export function placeOf(port: string, attempt: number): bigint {
  return BigInt(`0x${createHash('sha256').update(`${port}/${attempt}`).digest('hex').slice(0, 24)}`)
}

/** An own address with the prefix of Neutron's, locally administered range. */
export function macOf(port: string, attempt: number): string {
  const digits = createHash('sha256').update(`mac ${port}/${attempt}`).digest('hex').slice(0, 6)
  return ['fa', '16', '3e', digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6)].join(':')
}

/** What a machine makes of the prefix that routers tell it, and of its card: RFC 4291 appendix A. */
export function eui64({ base }: Pick<Prefix, 'base'>, mac: string): string {
  const bytes = Buffer.from(mac.replaceAll(':', ''), 'hex')
  const id = Buffer.concat([
    Buffer.of((bytes[0] ?? 0) ^ 2),
    bytes.subarray(1, 3),
    Buffer.of(0xff, 0xfe),
    bytes.subarray(3),
  ])
  return formatAddress({ version: 6, value: base | BigInt(`0x${id.toString('hex')}`) })
}
