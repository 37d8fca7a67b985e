import { ipv4ToBytes, ipv4ToText } from '@bloomery/wire/address.ts'
import { BROADCAST, MessageType, Option } from './codes.ts'
import type { Answer, Destination } from './decision.ts'
import { BROADCAST_FLAG, type DhcpPacket } from './packet.ts'
import type { DhcpRequest } from './request.ts'
import { broadcastAddress, contains, mask, type Subnet } from './subnet.ts'

export type ServedAnswer = Extract<Answer, { serve: true }>
type Kind = 'offer' | 'ack' | 'nak'

/** OFFER or ACK. `leaseSeconds` is absent in the answer to INFORM: RFC 2131 §4.3.5. */
export function grant(
  kind: 'offer' | 'ack',
  request: DhcpRequest,
  subnet: Subnet,
  answer: ServedAnswer,
  lease: { address: number; seconds?: number },
): DhcpPacket {
  const options = opening(kind, serverIdentifier(request, subnet))
  for (const [code, value] of ofSubnet(subnet, lease.seconds)) options.set(code, value)
  if (answer.hostname !== undefined) options.set(Option.hostName, Buffer.from(answer.hostname))
  const { siaddr, file } = bootFields(answer.boot, options)
  for (const [code, value] of answer.options ?? []) options.set(code, value)
  echo(request, options)
  const reply = blank(request.packet, options)
  if (kind === 'ack') reply.ciaddr = request.packet.ciaddr
  if (lease.seconds !== undefined) reply.yiaddr = lease.address
  reply.siaddr = siaddr
  reply.file = file
  return reply
}

/** What is the same for all clients of a subnet is made once. */
const made = new WeakMap<Subnet, Map<number | undefined, [code: number, value: Uint8Array][]>>()

function ofSubnet(subnet: Subnet, seconds: number | undefined): [code: number, value: Uint8Array][] {
  const bySeconds = made.get(subnet) ?? new Map<number | undefined, [number, Uint8Array][]>()
  made.set(subnet, bySeconds)
  const found = bySeconds.get(seconds) ?? optionsOf(subnet, seconds)
  bySeconds.set(seconds, found)
  return found
}

function optionsOf(subnet: Subnet, seconds: number | undefined): [code: number, value: Uint8Array][] {
  const options: [number, Uint8Array][] = []
  if (seconds !== undefined)
    options.push(
      [Option.leaseTime, u32(seconds)],
      [Option.renewalTime, u32(Math.floor(seconds / 2))],
      [Option.rebindingTime, u32(Math.floor((seconds * 7) / 8))],
    )
  options.push([Option.subnetMask, ipv4ToBytes(mask(subnet.prefix))])
  if (subnet.router !== undefined) options.push([Option.router, ipv4ToBytes(subnet.router)])
  if (subnet.dns.length > 0) options.push([Option.dns, Buffer.concat(subnet.dns.map(ipv4ToBytes))])
  options.push([Option.broadcastAddress, ipv4ToBytes(broadcastAddress(subnet))])
  return options
}

/** Firmware looks for its file in the header, in options 66 and 67, or in both: all say the same. */
export function bootFields(
  boot: ServedAnswer['boot'],
  options: Map<number, Uint8Array>,
): Pick<DhcpPacket, 'siaddr' | 'file'> {
  if (boot === undefined) return { siaddr: 0, file: '' }
  options.set(Option.tftpServerName, Buffer.from(ipv4ToText(boot.server)))
  if (boot.file !== '') options.set(Option.bootFileName, Buffer.from(boot.file))
  return { siaddr: boot.server, file: boot.file.length < 128 ? boot.file : '' } // longer: option 67 alone
}

export function refuse(request: DhcpRequest, subnet: Subnet, why: string): DhcpPacket {
  const options = opening('nak', serverIdentifier(request, subnet))
  options.set(Option.message, Buffer.from(why.slice(0, 255)))
  echo(request, options)
  const reply = blank(request.packet)
  // RFC 2131 §4.3.2: the relay must broadcast it, as the client's address may be wrong.
  return { ...reply, flags: reply.giaddr === 0 ? reply.flags : reply.flags | BROADCAST_FLAG, options }
}

/**
 * RFC 2131 §4.1. A client without an address gets a broadcast even where it could take a unicast: that needs an ARP entry,
 * which a plain socket cannot make, and every client accepts the broadcast.
 */
export function destination(kind: Kind, packet: DhcpPacket, subnet: Subnet): Destination {
  if (packet.giaddr !== 0) return { address: packet.giaddr, to: 'relay' }
  // Anybody can write any ciaddr: what is sent there stays on the networks that we serve.
  if (kind !== 'nak' && !subnet.broadcastOnly && contains(subnet, packet.ciaddr))
    return { address: packet.ciaddr, to: 'client' }
  return { address: BROADCAST, to: 'client' }
}

/** RFC 5107 §4: where a relay stands in for us, it is the one that the client shall know. */
function serverIdentifier(request: DhcpRequest, subnet: Subnet): number {
  return request.relay.serverOverride ?? subnet.serverAddress
}

export function blank(packet: DhcpPacket, options: DhcpPacket['options'] = new Map()): DhcpPacket {
  const { htype, xid, flags, giaddr, chaddr } = packet
  return {
    op: 2,
    htype,
    hops: 0,
    xid,
    secs: 0,
    flags,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr,
    chaddr,
    sname: '',
    file: '',
    options,
  }
}

export function opening(kind: Kind, serverAddress: number): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>()
  options.set(Option.messageType, kinds[kind])
  options.set(Option.serverIdentifier, ipv4ToBytes(serverAddress))
  return options
}

const kinds: Record<Kind, Uint8Array> = {
  offer: Uint8Array.of(MessageType.offer),
  ack: Uint8Array.of(MessageType.ack),
  nak: Uint8Array.of(MessageType.nak),
}

const ECHOED = [Option.clientIdentifier, Option.clientUuid, Option.relayAgentInformation]

export function echo(request: DhcpRequest, options: Map<number, Uint8Array>): void {
  // RFC 6842 for 61, RFC 4578 §2.3 for 97, RFC 3046 §2.2 for 82
  for (const code of ECHOED) {
    const value = request.packet.options.get(code)
    if (value !== undefined) options.set(code, value)
  }
}

function u32(value: number): Uint8Array {
  return ipv4ToBytes(value >>> 0)
}
