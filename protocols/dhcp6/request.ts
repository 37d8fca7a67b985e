import { macFromBytes } from '@bloomery/wire/address.ts'
import { macOfEui64 } from '@bloomery/wire/address6.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { MAX_HOPS, MessageType, Option } from './codes.ts'
import { decodeOptions, decodePacket, optionValue, type DhcpOption, type DhcpPacket } from './packet.ts'

export type RequestType =
  | 'solicit'
  | 'request'
  | 'confirm'
  | 'renew'
  | 'rebind'
  | 'release'
  | 'decline'
  | 'information request'

export interface RelayHop {
  hops: number
  link: Uint8Array
  peer: Uint8Array
  interfaceId?: Uint8Array
}

/** What a client said, typed, and the relays that it came by, the client's own first. */
export interface DhcpRequest {
  type: RequestType
  transaction: number
  clientId?: Uint8Array
  serverId?: Uint8Array
  /** Each identity association with the addresses that it names. */
  associations: { iaid: number; addresses: Uint8Array[] }[]
  rapidCommit: boolean
  relays: RelayHop[]
  /** Of the card that asks, where the message or its way tells it. */
  mac?: string
  architecture?: number
  vendorClass: string
  userClasses: string[]
}

const TYPES: Partial<Record<number, RequestType>> = {
  [MessageType.solicit]: 'solicit',
  [MessageType.request]: 'request',
  [MessageType.confirm]: 'confirm',
  [MessageType.renew]: 'renew',
  [MessageType.rebind]: 'rebind',
  [MessageType.release]: 'release',
  [MessageType.decline]: 'decline',
  [MessageType.informationRequest]: 'information request',
}
const MAX_DUID = 130 // RFC 8415 §11.1: two bytes of type and at most 128 more
const MAX_ASSOCIATIONS = 8
const ETHERNET = 1

/** `source` is the address that the datagram came from: a client's own, if no relay passed it on. */
export function readRequest(bytes: Uint8Array, source: Uint8Array): DhcpRequest {
  const relays: RelayHop[] = []
  let packet = decodePacket(bytes)
  let linkLayer: Uint8Array | undefined
  while ('hops' in packet) {
    if (relays.length >= MAX_HOPS) throw new WireError(`more than ${MAX_HOPS} relays`)
    const inner = relayed(packet)
    relays.unshift({ ...packet, interfaceId: optionValue(packet.options, Option.interfaceId) })
    linkLayer = optionValue(packet.options, Option.clientLinkLayerAddress) ?? linkLayer
    packet = decodePacket(inner)
  }
  const { options } = packet
  const type = TYPES[packet.type]
  if (type === undefined) throw new WireError(`message type ${packet.type} is not a client's`)
  const clientId = optionValue(options, Option.clientId)
  if (clientId !== undefined && (clientId.length < 3 || clientId.length > MAX_DUID))
    throw new WireError(`a client identifier of ${clientId.length} bytes`)
  const architecture = optionValue(options, Option.clientArchitecture)
  return {
    type,
    transaction: packet.transaction,
    clientId,
    serverId: optionValue(options, Option.serverId),
    associations: associations(options),
    rapidCommit: optionValue(options, Option.rapidCommit) !== undefined,
    relays,
    mac: macOf(linkLayer) ?? macOfEui64(relays[0]?.peer ?? source) ?? macOfDuid(clientId),
    architecture: architecture !== undefined && architecture.length >= 2 ? new Reader(architecture).u16() : undefined,
    vendorClass: classes(optionValue(options, Option.vendorClass)?.subarray(4))[0] ?? '',
    userClasses: classes(optionValue(options, Option.userClass)),
  }
}

function relayed(packet: DhcpPacket): Uint8Array {
  const inner = optionValue(packet.options, Option.relayMessage)
  if (packet.type !== MessageType.relayForward || inner === undefined)
    throw new WireError('a relayed message without what it relays')
  return inner
}

function associations(options: readonly DhcpOption[]): DhcpRequest['associations'] {
  return options
    .filter(({ code }) => code === Option.iaNa)
    .slice(0, MAX_ASSOCIATIONS)
    .map(({ value }) => {
      const reader = new Reader(value)
      const iaid = reader.u32()
      reader.skip(8)
      const addresses = decodeOptions(reader.rest())
        .filter(({ code, value }) => code === Option.iaAddress && value.length >= 24)
        .map(({ value }) => value.slice(0, 16))
      return { iaid, addresses }
    })
}

/** RFC 6939 §4: hardware type, then the address. */
function macOf(value: Uint8Array | undefined): string | undefined {
  if (value?.length !== 8 || new Reader(value).u16() !== ETHERNET) return undefined
  return macFromBytes(value.subarray(2))
}

/** DUID-LLT and DUID-LL hold a link-layer address, though of any of the machine's cards: RFC 8415 §11.2, §11.4. */
function macOfDuid(duid: Uint8Array | undefined): string | undefined {
  if (duid === undefined || duid.length < 4) return undefined
  const reader = new Reader(duid)
  const [type, hardware] = [reader.u16(), reader.u16()]
  if (hardware !== ETHERNET) return undefined
  if (type === 1 && duid.length === 14) return macFromBytes(duid.subarray(8))
  return type === 3 && duid.length === 10 ? macFromBytes(duid.subarray(4)) : undefined
}

/** Each behind its length (2 bytes); one that ends behind the option is left out. */
function classes(value: Uint8Array | undefined): string[] {
  const found: string[] = []
  let rest = value ?? new Uint8Array()
  while (rest.length >= 2) {
    const length = new Reader(rest).u16()
    if (2 + length > rest.length) return found
    found.push(printable(rest.subarray(2, 2 + length)))
    rest = rest.subarray(2 + length)
  }
  return found
}

function printable(value: Uint8Array): string {
  return Buffer.from(value)
    .toString('latin1', 0, 128)
    .replaceAll(/[^\x20-\x7e]/g, '')
}
