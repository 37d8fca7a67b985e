import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { Option } from './codes.ts'
import { optionBytes, readOptions, type Options } from './options.ts'

/*
    0                   1                   2                   3        RFC 2131 §2
   +---------------+---------------+---------------+---------------+
   |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |
   +---------------+---------------+---------------+---------------+
   |                            xid (4)                            |
   |           secs (2)            |           flags (2)           |
   |          ciaddr (4)  yiaddr (4)  siaddr (4)  giaddr (4)       |
   |          chaddr (16)  sname (64)  file (128)  options         |
*/
export interface DhcpPacket {
  op: 1 | 2
  htype: number
  hops: number
  xid: number
  secs: number
  flags: number
  ciaddr: number
  yiaddr: number
  siaddr: number
  giaddr: number
  /** As many bytes as hlen says, at most 16. */
  chaddr: Uint8Array
  /** Latin-1 and without NUL; '' where the field carried options. */
  sname: string
  file: string
  /** Without pad, end and overload, which are framing. */
  options: Options
}

export const BROADCAST_FLAG = 0x8000
const MAGIC_COOKIE = 0x6382_5363
const MIN_LENGTH = 300 // RFC 1542 §2.1: relays and old clients drop shorter messages
const MAX_LENGTH = 9_000
const WRITE_AT_ONCE = 600 // most replies fit, so that the writer needn't grow
/** What every client must accept: a datagram of 576 bytes without its IP and UDP headers (RFC 2131 §2). */
export const DEFAULT_LIMIT = 548
const IN_FILE = 1
const IN_SNAME = 2

export function decodePacket(bytes: Uint8Array): DhcpPacket {
  if (bytes.length > MAX_LENGTH) throw new WireError(`a DHCP message of ${bytes.length} bytes is refused`)
  const reader = new Reader(bytes)
  const op = reader.u8()
  if (op !== 1 && op !== 2) throw new WireError(`op ${op} is neither request nor reply`)
  const htype = reader.u8()
  const hlen = reader.u8()
  if (hlen > 16) throw new WireError(`hlen ${hlen} is more than the 16 bytes of chaddr`)
  const hops = reader.u8()
  const xid = reader.u32()
  const secs = reader.u16()
  const flags = reader.u16()
  const [ciaddr, yiaddr, siaddr, giaddr] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()]
  const chaddr = reader.bytes(16).slice(0, hlen)
  const sname = reader.bytes(64)
  const file = reader.bytes(128)
  if (reader.u32() !== MAGIC_COOKIE) throw new WireError('no DHCP magic cookie')

  const options = new Map<number, Uint8Array>()
  readOptions(reader.rest(), options)
  const overload = overloaded(options)
  if (overload & IN_FILE) readOptions(file, options)
  if (overload & IN_SNAME) readOptions(sname, options)
  options.delete(Option.overload)
  return {
    op,
    htype,
    hops,
    xid,
    secs,
    flags,
    ciaddr,
    yiaddr,
    siaddr,
    giaddr,
    chaddr,
    sname: overload & IN_SNAME ? '' : text(sname),
    file: overload & IN_FILE ? '' : text(file),
    options,
  }
}

/**
 * At most `limit` bytes. Options go in the order of the map, relay agent information last (RFC 3046 §2.1). What doesn't fit
 * the options field goes to `file` and `sname` where those are empty (RFC 2132 §9.3); what fits nowhere is left out.
 */
export function encodePacket(packet: DhcpPacket, limit = DEFAULT_LIMIT): Uint8Array {
  const relay = packet.options.get(Option.relayAgentInformation)
  const tail = relay === undefined ? new Uint8Array() : optionBytes(Option.relayAgentInformation, relay)
  const main = new Field(Math.max(limit, MIN_LENGTH) - 240 - tail.length - 4) // 4: overload option and end
  const spare = [
    { field: new Field(packet.file === '' ? 127 : 0), bit: IN_FILE },
    { field: new Field(packet.sname === '' ? 63 : 0), bit: IN_SNAME },
  ]
  for (const [code, value] of packet.options) {
    if (code === Option.relayAgentInformation) continue
    const bytes = optionBytes(code, value)
    if (!main.add(bytes)) spare.some(({ field }) => field.add(bytes))
  }
  const overload = spare.reduce((bits, { field, bit }) => (field.length > 0 ? bits | bit : bits), 0)

  const writer = new Writer(WRITE_AT_ONCE)
  writer.u8(packet.op).u8(packet.htype).u8(packet.chaddr.length).u8(packet.hops)
  writer.u32(packet.xid).u16(packet.secs).u16(packet.flags)
  writer.u32(packet.ciaddr).u32(packet.yiaddr).u32(packet.siaddr).u32(packet.giaddr)
  writer.padded(packet.chaddr, 16)
  writer.padded(overload & IN_SNAME ? spareBytes(spare[1]?.field) : latin1(packet.sname), 64)
  writer.padded(overload & IN_FILE ? spareBytes(spare[0]?.field) : latin1(packet.file), 128)
  main.writeTo(writer.u32(MAGIC_COOKIE))
  if (overload > 0) writer.u8(Option.overload).u8(1).u8(overload)
  writer.bytes(tail).u8(Option.end)
  return writer.zeros(Math.max(0, MIN_LENGTH - writer.length)).finish()
}

class Field {
  readonly #capacity: number
  readonly #parts: Uint8Array[] = []
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get length(): number {
    return this.#length
  }

  add(bytes: Uint8Array): boolean {
    if (this.#length + bytes.length > this.#capacity) return false
    this.#parts.push(bytes)
    this.#length += bytes.length
    return true
  }

  writeTo(writer: Writer): Writer {
    for (const part of this.#parts) writer.bytes(part)
    return writer
  }
}

function spareBytes(field: Field | undefined): Uint8Array {
  const writer = new Writer(128)
  field?.writeTo(writer)
  return writer.u8(Option.end).finish()
}

function overloaded(options: Map<number, Uint8Array>): number {
  const value = options.get(Option.overload)
  if (value === undefined) return 0
  const bits = value[0]
  if (value.length !== 1 || bits === undefined || bits < 1 || bits > 3)
    throw new WireError('option overload (52) is not 1, 2 or 3')
  return bits
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0)
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1')
}

function latin1(value: string): Uint8Array {
  return Buffer.from(value, 'latin1')
}
