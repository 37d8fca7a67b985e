import { macFromBytes } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { MessageType, Option } from './codes.ts'
import { DEFAULT_LIMIT, type DhcpPacket } from './packet.ts'
import { readRelayInformation, type RelayInformation } from './relay-information.ts'

export type RequestType = 'discover' | 'request' | 'decline' | 'release' | 'inform'

/** What a client said, typed. */
export interface DhcpRequest {
  type: RequestType
  packet: DhcpPacket
  mac: string
  requestedAddress?: number
  serverIdentifier?: number
  relay: RelayInformation
  /** Option 61, in hex. */
  clientIdentifier?: string
  vendorClass: string
  userClasses: string[]
  /** RFC 4578 §2.1: the first of the list is what the firmware boots as. */
  architecture?: number
  /** Lower case with dashes, in the byte order that dmidecode and Redfish print. */
  uuid?: string
  ipxeOptions: boolean
  /** The largest message, without IP and UDP headers, that may be sent back. */
  maxLength: number
}

const TYPES: Partial<Record<number, RequestType>> = {
  [MessageType.discover]: 'discover',
  [MessageType.request]: 'request',
  [MessageType.decline]: 'decline',
  [MessageType.release]: 'release',
  [MessageType.inform]: 'inform',
}
const ETHERNET = 1
const IP_AND_UDP = 28
const MAX_REPLY = 1_472

/** A message that cannot be answered is a WireError; a malformed option that only informs counts as absent. */
export function readRequest(packet: DhcpPacket): DhcpRequest {
  if (packet.op !== 1) throw new WireError('a reply came to the server port')
  if (packet.htype !== ETHERNET) throw new WireError(`hardware type ${packet.htype} is not Ethernet`)
  const { options } = packet
  const type = TYPES[options.get(Option.messageType)?.[0] ?? 0]
  if (type === undefined) throw new WireError('no message type (53) that a client sends')
  const relay = options.get(Option.relayAgentInformation)
  if (relay !== undefined && relay.length > 255) throw new WireError('relay agent information (82) over 255 bytes')
  const architecture = options.get(Option.clientArchitecture)
  const maxSize = options.get(Option.maxMessageSize)
  return {
    type,
    packet,
    mac: macFromBytes(packet.chaddr),
    requestedAddress: address(packet, Option.requestedAddress),
    serverIdentifier: address(packet, Option.serverIdentifier),
    relay: readRelayInformation(relay),
    clientIdentifier: hex(options.get(Option.clientIdentifier)),
    vendorClass: printable(options.get(Option.vendorClass)),
    userClasses: userClasses(options.get(Option.userClass)),
    architecture: architecture !== undefined && architecture.length >= 2 ? new Reader(architecture).u16() : undefined,
    uuid: uuid(options.get(Option.clientUuid)),
    ipxeOptions: options.has(Option.ipxe),
    maxLength: maxSize?.length === 2 ? replyLimit(new Reader(maxSize).u16()) : DEFAULT_LIMIT,
  }
}

/** RFC 3004 §4 wants each class behind its length; iPXE sends the bare word. */
export function userClasses(value: Uint8Array | undefined): string[] {
  if (value === undefined || value.length === 0) return []
  const classes: string[] = []
  let at = 0
  while (at < value.length) {
    const length = value[at] ?? 0
    if (length === 0 || at + 1 + length > value.length) return [printable(value)]
    classes.push(printable(value.subarray(at + 1, at + 1 + length)))
    at += 1 + length
  }
  return classes
}

/** Option 57 counts the IP datagram. One below the legal minimum of 576 is taken as the minimum. */
function replyLimit(size: number): number {
  return Math.min(Math.max(size - IP_AND_UDP, DEFAULT_LIMIT), MAX_REPLY)
}

function address(packet: DhcpPacket, code: number): number | undefined {
  const value = packet.options.get(code)
  if (value === undefined) return undefined
  if (value.length !== 4) throw new WireError(`option ${code} has ${value.length} bytes instead of an address's 4`)
  return new Reader(value).u32()
}

function hex(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')
}

/** Type 0, then an SMBIOS UUID, whose first three fields are little-endian. */
function uuid(value: Uint8Array | undefined): string | undefined {
  if (value?.length !== 17 || value[0] !== 0) return undefined
  const hex = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16]
    .map((at) => (value[at] ?? 0).toString(16).padStart(2, '0'))
    .join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** For logs and matching: ASCII without control characters, of bounded length. */
function printable(value: Uint8Array | undefined): string {
  if (value === undefined || value.length === 0) return ''
  return Buffer.from(value.buffer, value.byteOffset, value.length)
    .toString('latin1', 0, 128)
    .replaceAll(/[^\x20-\x7e]/g, '')
}
