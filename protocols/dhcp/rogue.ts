import { ipv4ToText, macToBytes } from '@bloomery/wire/address.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { MessageType, Option } from './codes.ts'
import type { DhcpPacket } from './packet.ts'
import type { DhcpRequest } from './request.ts'
import type { Subnet } from './subnet.ts'

/** Another DHCP server on a network that we serve, and how we know of it. */
export interface ForeignServer {
  server: string
  how: 'offered to our probe' | 'chosen by a client'
  /** The client that chose it, or the address that it offered. */
  mac?: string
  offered?: string
}

/** The probe's own client: locally administered, so that it is nobody's card. */
export const PROBE_MAC = '02:b1:00:00:00:01'

/**
 * A DISCOVER to everybody on one of our networks. With our address as its relay's, any server answers to our own port instead of the
 * clients'. Offers that nobody takes up lapse.
 */
export function probeMessage(subnet: Subnet, xid: number): DhcpPacket {
  return {
    op: 1,
    htype: 1,
    hops: 1,
    xid,
    secs: 0,
    flags: 0,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: subnet.serverAddress,
    chaddr: macToBytes(PROBE_MAC),
    sname: '',
    file: '',
    options: new Map([[Option.messageType, Uint8Array.of(MessageType.discover)]]),
  }
}

/** Who made this offer to our probe, unless it was ourselves. */
export function offeredToProbe(
  packet: DhcpPacket,
  xid: number,
  servers: ReadonlySet<number>,
): ForeignServer | undefined {
  const server = packet.options.get(Option.serverIdentifier)
  const isOffer = packet.options.get(Option.messageType)?.[0] === MessageType.offer
  if (!isOffer || packet.xid !== xid || server?.length !== 4) return undefined
  if (!Buffer.from(packet.chaddr).equals(macToBytes(PROBE_MAC))) return undefined
  const address = new Reader(server).u32()
  if (servers.has(address)) return undefined
  return { server: ipv4ToText(address), how: 'offered to our probe', offered: ipv4ToText(packet.yiaddr) }
}

/** A client that takes another server's offer says so to everybody (RFC 2131 §3.1, step 3). */
export function chosenByClient(request: DhcpRequest, servers: ReadonlySet<number>): ForeignServer | undefined {
  const { type, serverIdentifier, relay, mac } = request
  if (type !== 'request' || serverIdentifier === undefined) return undefined
  if (servers.has(serverIdentifier) || serverIdentifier === relay.serverOverride) return undefined
  return { server: ipv4ToText(serverIdentifier), how: 'chosen by a client', mac }
}
