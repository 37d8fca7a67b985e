import { ipv4ToBytes, ipv4ToText, macFromBytes, macToBytes } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { MessageType, Option } from './codes.ts'
import type { Facts } from './decision.ts'
import type { Lease, LeaseView } from './lease.ts'
import type { DhcpPacket } from './packet.ts'
import { contains, inRange, type Subnet } from './subnet.ts'

/** Who asks is answered there: its own address, as RFC 4388 §6.3 has it. */
export interface LeaseQueryAnswer {
  packet: DhcpPacket
  to: number
  facts: Facts
}

interface Known {
  subnets: readonly Subnet[]
  leases: Pick<LeaseView, 'byAddress' | 'byMac'>
  /** Addresses that may ask: who has which address is not for everybody. */
  askers: ReadonlySet<number>
  now: number
}

const ETHERNET = 1

export function isLeaseQuery({ op, options }: DhcpPacket): boolean {
  return op === 1 && options.get(Option.messageType)?.[0] === MessageType.leaseQuery
}

/** DHCPLEASEQUERY (RFC 4388): an access switch or relay asks who has an address, or which address a card has. */
export function answerLeaseQuery(query: DhcpPacket, known: Known): LeaseQueryAnswer {
  const { giaddr, ciaddr } = query
  if (!known.askers.has(giaddr)) throw new WireError(`a lease query for ${ipv4ToText(giaddr)}, which may not ask`)
  const served = known.subnets.filter(({ proxy }) => proxy !== true)
  const mac = ciaddr === 0 ? queriedMac(query) : undefined
  const held =
    ciaddr === 0 ? ofMac(known, mac) : [known.leases.byAddress(ciaddr)].filter((lease) => lease !== undefined)
  const [lease, ...others] = held.filter((each) => isActive(each, known.now))
  const subnet = served.find((each) => contains(each, lease?.address ?? (ciaddr === 0 ? giaddr : ciaddr)))
  const reply = blank(query, subnet?.serverAddress ?? served[0]?.serverAddress ?? 0)
  const facts = { request: 'leasequery', mac: lease?.mac ?? mac ?? '', relay: ipv4ToText(giaddr) } as const
  if (lease === undefined || subnet === undefined) {
    // §6.4.2: an address that is ours to give and that nobody has; of a card without a lease nothing is known.
    const isOurs = subnet !== undefined && ciaddr !== 0 && inRange(subnet, ciaddr)
    const said = isOurs ? 'leaseunassigned' : 'leaseunknown'
    reply.options.set(Option.messageType, type(isOurs ? MessageType.leaseUnassigned : MessageType.leaseUnknown))
    return { packet: reply, to: giaddr, facts: { ...facts, reply: said, because: 'nobody has a lease of it' } }
  }
  fill(reply, lease, others, subnet, known.now)
  const because = `${lease.mac} has ${ipv4ToText(lease.address)}`
  return { packet: reply, to: giaddr, facts: { ...facts, reply: 'leaseactive', because } }
}

/** §6.4.2: the address and its card, how long it still has it, when it was last heard of, and what else it has. */
function fill(reply: Reply, lease: Lease, others: Lease[], subnet: Subnet, now: number): void {
  const left = Math.max(0, Math.ceil((lease.expires - now) / 1_000))
  const since = Math.max(0, subnet.leaseSeconds - left)
  reply.ciaddr = lease.address
  reply.htype = ETHERNET
  reply.chaddr = macToBytes(lease.mac)
  reply.options.set(Option.messageType, type(MessageType.leaseActive))
  reply.options.set(Option.leaseTime, u32(left))
  reply.options.set(Option.renewalTime, u32(Math.max(0, Math.floor(subnet.leaseSeconds / 2) - since)))
  reply.options.set(Option.rebindingTime, u32(Math.max(0, Math.floor((subnet.leaseSeconds * 7) / 8) - since)))
  reply.options.set(Option.lastTransaction, u32(since))
  const addresses = [lease, ...others].map(({ address }) => ipv4ToBytes(address))
  if (others.length > 0) reply.options.set(Option.associatedAddress, Buffer.concat(addresses))
}

/** By chaddr, or by a client identifier that is a card's (§6.2): other identifiers are not kept. */
function queriedMac({ htype, chaddr, options }: DhcpPacket): string | undefined {
  const identifier = options.get(Option.clientIdentifier)
  if (identifier !== undefined)
    return identifier.length === 7 && identifier[0] === ETHERNET ? macFromBytes(identifier.subarray(1)) : undefined
  return htype === ETHERNET && chaddr.length === 6 ? macFromBytes(chaddr) : undefined
}

/** The one that was heard of last comes first: it is the one that is told. */
function ofMac({ leases }: Known, mac: string | undefined): Lease[] {
  return mac === undefined ? [] : leases.byMac(mac).toSorted((a, b) => b.expires - a.expires)
}

function isActive({ state, expires }: Lease, now: number): boolean {
  return state === 'bound' && expires > now
}

type Reply = DhcpPacket & { options: Map<number, Uint8Array> }

function blank({ htype, xid, flags, giaddr, ciaddr, chaddr, options: asked }: DhcpPacket, server: number): Reply {
  const options = new Map<number, Uint8Array>([[Option.messageType, type(0)]])
  options.set(Option.serverIdentifier, ipv4ToBytes(server))
  for (const code of [Option.clientIdentifier, Option.relayAgentInformation]) {
    const value = asked.get(code)
    if (value !== undefined) options.set(code, value)
  }
  const none = { hops: 0, secs: 0, yiaddr: 0, siaddr: 0, sname: '', file: '' }
  return { ...none, op: 2, htype, xid, flags, giaddr, ciaddr, chaddr, options }
}

const type = (code: number): Uint8Array => Uint8Array.of(code)
const u32 = (value: number): Uint8Array => ipv4ToBytes(value >>> 0)
