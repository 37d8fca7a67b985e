import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { MessageType } from './codes.ts'

/** Options may repeat and their order is kept: several IA_NA, several relays. */
export interface DhcpOption {
  code: number
  value: Uint8Array
}

/*
    0                   1                   2                   3        RFC 8415 §8, §9
   |    msg-type   |               transaction-id                  |  client ⇄ server
   |    msg-type   |   hop-count   |  link-address (16)  peer-address (16)   relay ⇄ server
   |          options: code (2), length (2), value                 |
*/
export type DhcpPacket =
  | { type: number; transaction: number; options: DhcpOption[] }
  | { type: 12 | 13; hops: number; link: Uint8Array; peer: Uint8Array; options: DhcpOption[] }

const MAX_LENGTH = 9_000
const MAX_OPTIONS = 128

export function decodePacket(bytes: Uint8Array): DhcpPacket {
  if (bytes.length > MAX_LENGTH) throw new WireError(`a DHCPv6 message of ${bytes.length} bytes is refused`)
  const reader = new Reader(bytes)
  const type = reader.u8()
  if (type === MessageType.relayForward || type === MessageType.relayReply) {
    const hops = reader.u8()
    const [link, peer] = [reader.bytes(16), reader.bytes(16)]
    return { type, hops, link, peer, options: decodeOptions(reader.rest()) }
  }
  if (type < 1 || type > 11) throw new WireError(`message type ${type} is none of DHCPv6`)
  const transaction = (reader.u8() << 16) | reader.u16()
  return { type, transaction, options: decodeOptions(reader.rest()) }
}

export function encodePacket(packet: DhcpPacket): Uint8Array {
  const writer = new Writer(256).u8(packet.type)
  if ('hops' in packet) writer.u8(packet.hops).bytes(packet.link).bytes(packet.peer)
  else writer.u8(packet.transaction >>> 16).u16(packet.transaction & 0xffff)
  return writer.bytes(encodeOptions(packet.options)).finish()
}

export function decodeOptions(bytes: Uint8Array): DhcpOption[] {
  const reader = new Reader(bytes)
  const options: DhcpOption[] = []
  while (reader.remaining > 0) {
    if (options.length >= MAX_OPTIONS) throw new WireError(`more than ${MAX_OPTIONS} options`)
    const code = reader.u16()
    options.push({ code, value: reader.bytes(reader.u16()) })
  }
  return options
}

export function encodeOptions(options: readonly DhcpOption[]): Uint8Array {
  const writer = new Writer(128)
  for (const { code, value } of options) writer.u16(code).u16(value.length).bytes(value)
  return writer.finish()
}

export function optionValue(options: readonly DhcpOption[], wanted: number): Uint8Array | undefined {
  return options.find(({ code }) => code === wanted)?.value
}
