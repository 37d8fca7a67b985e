import { ipv4ToText } from '@bloomery/wire/address.ts'
import { destination, grant, refuse, type ServedAnswer } from './reply.ts'
import type { Answer, Decision, Facts } from './decision.ts'
import type { Lease, LeaseChange, LeaseView } from './lease.ts'
import type { DhcpRequest, RequestType } from './request.ts'
import { contains, inRange, subnetText, type Subnet } from './subnet.ts'

const OFFER_HELD_MS = 60_000
const DECLINED_HELD_MS = 600_000

export interface Situation {
  request: DhcpRequest
  subnet: Subnet
  /** Every address that we answer as: a request to any of them is ours. */
  servers: ReadonlySet<number>
  leases: LeaseView
  answer: Answer
  /** Who an address is reserved for, so that nobody else gets it from the range. */
  reservedFor: (address: number) => string | undefined
  now: number
}

type Served = Situation & { answer: ServedAnswer }

/** One client message → the reply, the changes of leases and the reason. RFC 2131 §4.3; nothing here does I/O. */
export function decideLease(situation: Situation): Decision {
  const { answer, request } = situation
  const addressed = request.serverIdentifier
  const isUs = addressed === undefined || situation.servers.has(addressed) || addressed === request.relay.serverOverride
  if (!isUs) return otherServer(situation, addressed)
  if (request.type === 'release') return release(situation)
  if (request.type === 'decline') return decline(situation)
  if (!answer.serve) return silent(situation, answer.because)
  return handlers[request.type](situation as Served)
}

const handlers: Record<Exclude<RequestType, 'release' | 'decline'>, (situation: Served) => Decision> = {
  discover,
  request: confirm,
  inform,
}

function discover(situation: Served): Decision {
  const { request, subnet, now } = situation
  const address = addressFor(situation)
  if (address === undefined) return silent(situation, whyNone(situation))
  const held = situation.leases.byAddress(address)
  const keeps = held?.mac === request.mac && held.state === 'bound' && held.expires > now
  const offered: Lease = { address, mac: request.mac, state: 'offered', expires: now + OFFER_HELD_MS }
  const probe = situation.answer.probe && held?.mac !== request.mac ? address : undefined
  const changes: LeaseChange[] = keeps ? [] : [{ kind: 'put', lease: offered }]
  return granted('offer', situation, address, subnet.leaseSeconds, changes, probe)
}

/** REQUEST in its four states: selecting (with 54), init-reboot (50 only), renewing and rebinding (ciaddr). Table 4. */
function confirm(situation: Served): Decision {
  const { request, subnet, now } = situation
  const asked = request.packet.ciaddr === 0 ? request.requestedAddress : request.packet.ciaddr
  if (asked === undefined) return silent(situation, 'a request that names no address')
  if (!contains(subnet, asked)) return refused(situation, asked, `${ipv4ToText(asked)} is not on this network`)
  const { address: reserved } = situation.answer
  if (reserved !== undefined && contains(subnet, reserved) && reserved !== asked)
    return refused(situation, asked, `${ipv4ToText(reserved)} is reserved for this client`)
  if (!mayHold(situation, asked)) return refused(situation, asked, `${ipv4ToText(asked)} is not free for this client`)
  const bound: Lease = { address: asked, mac: request.mac, state: 'bound', expires: now + subnet.leaseSeconds * 1000 }
  const changes: LeaseChange[] = others(situation, asked).map(({ address }) => ({ kind: 'remove', address }))
  changes.push({ kind: 'put', lease: bound })
  return granted('ack', situation, asked, subnet.leaseSeconds, changes)
}

function inform(situation: Served): Decision {
  const { ciaddr, giaddr } = situation.request.packet
  if (ciaddr === 0) return silent(situation, 'an inform without a client address')
  if (giaddr === 0 && !contains(situation.subnet, ciaddr))
    return silent(situation, `an inform from ${ipv4ToText(ciaddr)}, which is on no network of ours`)
  return granted('ack', situation, ciaddr, undefined, [])
}

function release(situation: Situation): Decision {
  const { request, leases, now } = situation
  const lease = leases.byAddress(request.packet.ciaddr)
  if (lease === undefined || lease.mac !== request.mac) return silent(situation, 'releases a lease that it has not')
  return silent(situation, 'released', [{ kind: 'put', lease: { ...lease, expires: now } }], lease.address)
}

function decline(situation: Situation): Decision {
  const { request, leases, now } = situation
  const lease = leases.byAddress(request.requestedAddress ?? 0)
  if (lease === undefined || lease.mac !== request.mac) return silent(situation, 'declines an address that it has not')
  const declined: Lease = { address: lease.address, mac: '', state: 'declined', expires: now + DECLINED_HELD_MS }
  const why = 'another host answers at this address: kept out of use for 10 minutes'
  return silent(situation, why, [{ kind: 'put', lease: declined }], lease.address)
}

/** The client chose another server: what we held for it is free again. */
function otherServer(situation: Situation, addressed: number): Decision {
  const offers = situation.leases.byMac(situation.request.mac).filter(({ state }) => state === 'offered')
  const changes = offers.map(({ address }): LeaseChange => ({ kind: 'remove', address }))
  return silent(situation, `chose the server ${ipv4ToText(addressed)}`, changes)
}

/** Reserved address, the one that the client has or had, the one that it asks for, any free one: RFC 2131 §4.3.1. */
function addressFor(situation: Served): number | undefined {
  const { request, subnet, leases, answer, now } = situation
  if (answer.address !== undefined && contains(subnet, answer.address)) {
    const holder = leases.byAddress(answer.address)
    const blocked = !answer.takesOver && holder !== undefined && holder.mac !== request.mac && holder.expires > now
    return blocked && holder.state !== 'offered' ? undefined : answer.address
  }
  const own = leases.byMac(request.mac).find(({ address }) => contains(subnet, address))
  if (own !== undefined && mayHold(situation, own.address)) return own.address
  const asked = request.requestedAddress
  if (asked !== undefined && inRange(subnet, asked) && mayHold(situation, asked)) return asked
  return leases.free(subnet, now, (address) => mayHold(situation, address))
}

function whyNone({ answer, leases }: Served): string {
  const holder = answer.address === undefined ? undefined : leases.byAddress(answer.address)
  if (holder === undefined) return 'no address is free in the range of this subnet'
  return `the reserved ${ipv4ToText(holder.address)} is leased to ${holder.mac || 'a host that is not ours'}: reserve outside the range`
}

function mayHold(situation: Served, address: number): boolean {
  const { request, subnet, leases, answer, now } = situation
  const holder = leases.byAddress(address)
  if (answer.takesOver && answer.address === address) return true
  const free = holder === undefined || holder.mac === request.mac || holder.expires <= now
  if (!free || address === subnet.serverAddress) return false
  if (answer.address === address) return true
  const reservedFor = situation.reservedFor(address)
  return inRange(subnet, address) && (reservedFor === undefined || reservedFor === request.mac)
}

function others(situation: Served, address: number): Lease[] {
  const held = situation.leases.byMac(situation.request.mac)
  return held.filter((lease) => lease.address !== address && contains(situation.subnet, lease.address))
}

function granted(
  kind: 'offer' | 'ack',
  situation: Served,
  address: number,
  seconds: number | undefined,
  changes: LeaseChange[],
  probe?: number,
): Decision {
  const { request, subnet, answer } = situation
  const packet = grant(kind, request, subnet, answer, { address, seconds })
  return {
    facts: facts(situation, kind, answer.because, address, answer.boot?.file),
    reply: { packet, destination: destination(kind, request.packet, subnet), limit: request.maxLength },
    probe,
    changes,
  }
}

function refused(situation: Situation, address: number, because: string): Decision {
  const { request, subnet } = situation
  const packet = refuse(request, subnet, because)
  return {
    facts: facts(situation, 'nak', because, address),
    reply: { packet, destination: destination('nak', request.packet, subnet), limit: request.maxLength },
    changes: [],
  }
}

function silent(situation: Situation, because: string, changes: LeaseChange[] = [], address?: number): Decision {
  return { facts: facts(situation, 'none', because, address), changes }
}

function facts(situation: Situation, reply: Facts['reply'], because: string, address?: number, file?: string): Facts {
  const { request, subnet } = situation
  const { giaddr } = request.packet
  return {
    request: request.type,
    reply,
    mac: request.mac,
    because,
    address: address === undefined ? undefined : ipv4ToText(address),
    subnet: subnetText(subnet),
    relay: giaddr === 0 ? undefined : ipv4ToText(giaddr),
    file,
  }
}
