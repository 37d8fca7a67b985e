import { ipv4ToBytes, ipv4ToText, macToBytes } from '@bloomery/wire/address.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { MessageType, Option } from './codes.ts'
import { BROADCAST_FLAG, type DhcpPacket } from './packet.ts'

/** Who asks, and what it says of itself. */
export interface ClientIdentity {
  mac: string
  /** Sent with every message: 60, 77, 93, 97 and whatever else this firmware says. */
  options?: ReadonlyMap<number, Uint8Array>
  /** giaddr, where the client's own messages come by way of a relay. */
  relay?: number
}

export interface AcquiredLease {
  address: number
  server: number
  leaseSeconds: number
  /** siaddr, or 0. */
  nextServer: number
  /** Option 67, or the `file` field; '' where there is nothing to boot. */
  bootFile: string
  options: ReadonlyMap<number, Uint8Array>
}

export type ClientState =
  | {
      phase: 'selecting' | 'requesting' | 'renewing'
      identity: ClientIdentity
      message: DhcpPacket
      tries: number
      due: number
    }
  | { phase: 'bound'; lease: AcquiredLease }
  | { phase: 'failed'; because: string }

/** RFC 2131 §4.1 */
export const RETRY_MS: readonly number[] = [4_000, 8_000, 16_000, 32_000]

export function discover(identity: ClientIdentity, xid: number, now: number, retry = RETRY_MS): ClientState {
  const message = compose(identity, xid, MessageType.discover, [])
  return { phase: 'selecting', identity, message, tries: 1, due: now + (retry[0] ?? 0) }
}

export function renew(
  identity: ClientIdentity,
  lease: AcquiredLease,
  xid: number,
  now: number,
  retry = RETRY_MS,
): ClientState {
  const message = { ...compose(identity, xid, MessageType.request, []), ciaddr: lease.address }
  return { phase: 'renewing', identity, message, tries: 1, due: now + (retry[0] ?? 0) }
}

/** RELEASE has no answer: RFC 2131 §4.4.6. */
export function releaseMessage(identity: ClientIdentity, lease: AcquiredLease, xid: number): DhcpPacket {
  const server: [number, Uint8Array] = [Option.serverIdentifier, ipv4ToBytes(lease.server)]
  return { ...compose(identity, xid, MessageType.release, [server]), ciaddr: lease.address }
}

/** A message that isn't this client's, or not of this phase, leaves the state as it is. A new `message` is to be sent. */
export function received(state: ClientState, packet: DhcpPacket, now: number, retry = RETRY_MS): ClientState {
  if (!('message' in state) || packet.op !== 2 || packet.xid !== state.message.xid) return state
  if (!Buffer.from(packet.chaddr).equals(state.message.chaddr)) return state
  const type = packet.options.get(Option.messageType)?.[0]
  const server = packet.options.get(Option.serverIdentifier)
  if (server?.length !== 4) return state
  if (state.phase === 'selecting') {
    if (type !== MessageType.offer || packet.yiaddr === 0) return state
    const message = compose(state.identity, packet.xid, MessageType.request, [
      [Option.requestedAddress, ipv4ToBytes(packet.yiaddr)],
      [Option.serverIdentifier, server],
    ])
    return { ...state, phase: 'requesting', message, tries: 1, due: now + (retry[0] ?? 0) }
  }
  if (type === MessageType.nak) {
    const why = Buffer.from(packet.options.get(Option.message) ?? []).toString('latin1')
    return { phase: 'failed', because: `refused by ${ipv4ToText(new Reader(server).u32())}: ${why}` }
  }
  return type === MessageType.ack ? { phase: 'bound', lease: leaseOf(packet, server) } : state
}

export function timedOut(state: ClientState, now: number, retry = RETRY_MS): ClientState {
  if (!('message' in state) || now < state.due) return state
  const wait = retry[state.tries]
  if (wait === undefined)
    return { phase: 'failed', because: `no answer to ${state.tries} messages while ${state.phase}` }
  return { ...state, message: { ...state.message }, tries: state.tries + 1, due: now + wait }
}

function compose(
  identity: ClientIdentity,
  xid: number,
  type: number,
  more: readonly [number, Uint8Array][],
): DhcpPacket {
  const options = new Map<number, Uint8Array>([
    [Option.messageType, Uint8Array.of(type)],
    [Option.parameterRequestList, Uint8Array.of(1, 3, 6, 12, 66, 67)],
    ...more,
    ...(identity.options ?? []),
  ])
  return {
    op: 1,
    htype: 1,
    hops: identity.relay === undefined ? 0 : 1,
    xid,
    secs: 0,
    flags: BROADCAST_FLAG,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: identity.relay ?? 0,
    chaddr: macToBytes(identity.mac),
    sname: '',
    file: '',
    options,
  }
}

function leaseOf(packet: DhcpPacket, server: Uint8Array): AcquiredLease {
  const seconds = packet.options.get(Option.leaseTime)
  const named = packet.options.get(Option.bootFileName)
  return {
    address: packet.yiaddr,
    server: new Reader(server).u32(),
    leaseSeconds: seconds?.length === 4 ? new Reader(seconds).u32() : 0,
    nextServer: packet.siaddr,
    bootFile: named === undefined ? packet.file : Buffer.from(named).toString('latin1').replaceAll('\0', ''),
    options: packet.options,
  }
}
