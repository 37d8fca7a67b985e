import { WireError } from '@bloomery/wire/error.ts'
import { Option } from './codes.ts'
import { optionLength, readOptions, writeOption, type Options } from './options.ts'

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
/** What every client must accept: a datagram of 576 bytes without its IP and UDP headers (RFC 2131 §2). */
export const DEFAULT_LIMIT = 548
const IN_FILE = 1
const IN_SNAME = 2
const CHADDR_AT = 28
const SNAME_AT = 44
const FILE_AT = 108
const COOKIE_AT = 236
const OPTIONS_AT = 240

/** What is variable in the packet are views of `message`, which is the packet's from then on. */
export function decodePacket(message: Uint8Array): DhcpPacket {
  const bytes = Buffer.isBuffer(message) ? message : Buffer.from(message.buffer, message.byteOffset, message.length)
  if (bytes.length > MAX_LENGTH) throw new WireError(`a DHCP message of ${bytes.length} bytes is refused`)
  if (bytes.length < OPTIONS_AT) throw new WireError(`a DHCP message of ${bytes.length} bytes has no options`)
  const op = bytes[0]
  if (op !== 1 && op !== 2) throw new WireError(`op ${op} is neither request nor reply`)
  const hlen = bytes.readUInt8(2)
  if (hlen > 16) throw new WireError(`hlen ${hlen} is more than the 16 bytes of chaddr`)
  if (bytes.readUInt32BE(COOKIE_AT) !== MAGIC_COOKIE) throw new WireError('no DHCP magic cookie')

  const options = new Map<number, Uint8Array>()
  readOptions(bytes, OPTIONS_AT, bytes.length, options)
  const overload = overloaded(options)
  if (overload & IN_FILE) readOptions(bytes, FILE_AT, COOKIE_AT, options)
  if (overload & IN_SNAME) readOptions(bytes, SNAME_AT, FILE_AT, options)
  if (overload !== 0) options.delete(Option.overload)
  return {
    op,
    htype: bytes.readUInt8(1),
    hops: bytes.readUInt8(3),
    xid: bytes.readUInt32BE(4),
    secs: bytes.readUInt16BE(8),
    flags: bytes.readUInt16BE(10),
    ciaddr: bytes.readUInt32BE(12),
    yiaddr: bytes.readUInt32BE(16),
    siaddr: bytes.readUInt32BE(20),
    giaddr: bytes.readUInt32BE(24),
    chaddr: new Uint8Array(bytes.buffer, bytes.byteOffset + CHADDR_AT, hlen),
    sname: overload & IN_SNAME ? '' : text(bytes, SNAME_AT, FILE_AT),
    file: overload & IN_FILE ? '' : text(bytes, FILE_AT, COOKIE_AT),
    options,
  }
}

/**
 * At most `limit` bytes. Options go in the order of the map, relay agent information last (RFC 3046 §2.1). What doesn't fit
 * the options field goes to `file` and `sname` where those are empty (RFC 2132 §9.3); what fits nowhere is left out.
 */
export function encodePacket(packet: DhcpPacket, limit = DEFAULT_LIMIT): Uint8Array {
  return Buffer.from(encodedForNow(packet, limit))
}

/** The same where it is used at once: its bytes are those of the next message from then on. */
export function encodedForNow(packet: DhcpPacket, limit = DEFAULT_LIMIT): Uint8Array {
  const out = scratch.fill(0, 0, OPTIONS_AT)
  writeHeader(packet)
  const relay = packet.options.get(Option.relayAgentInformation)
  const room = Math.min(Math.max(limit, MIN_LENGTH), MAX_LENGTH)
  const end = room - (relay === undefined ? 0 : optionLength(relay)) - 4 // 4: overload option and end
  let at = OPTIONS_AT
  let inFile = packet.file === '' ? FILE_AT : COOKIE_AT
  let inSname = packet.sname === '' ? SNAME_AT : FILE_AT
  for (const [code, value] of packet.options) {
    if (code === Option.relayAgentInformation) continue
    const length = optionLength(value)
    if (at + length <= end) at = writeOption(out, at, code, value)
    else if (inFile + length < COOKIE_AT) inFile = writeOption(out, inFile, code, value)
    else if (inSname + length < FILE_AT) inSname = writeOption(out, inSname, code, value)
  }
  const overload = endSpare(inFile, FILE_AT, COOKIE_AT, IN_FILE) | endSpare(inSname, SNAME_AT, FILE_AT, IN_SNAME)
  if (overload > 0) at = writeOption(out, at, Option.overload, Uint8Array.of(overload))
  if (relay !== undefined) at = writeOption(out, at, Option.relayAgentInformation, relay)
  out[at] = Option.end
  at += 1
  if (at < MIN_LENGTH) out.fill(0, at, MIN_LENGTH)
  return out.subarray(0, Math.max(at, MIN_LENGTH))
}

/** Every message is put together here. */
const scratch = Buffer.alloc(MAX_LENGTH)

function writeHeader(packet: DhcpPacket): void {
  scratch.writeUInt8(packet.op, 0)
  scratch.writeUInt8(packet.htype, 1)
  scratch.writeUInt8(fitting(packet.chaddr.length, 16, 'chaddr'), 2)
  scratch.writeUInt8(packet.hops, 3)
  scratch.writeUInt32BE(packet.xid, 4)
  scratch.writeUInt16BE(packet.secs, 8)
  scratch.writeUInt16BE(packet.flags, 10)
  scratch.writeUInt32BE(packet.ciaddr, 12)
  scratch.writeUInt32BE(packet.yiaddr, 16)
  scratch.writeUInt32BE(packet.siaddr, 20)
  scratch.writeUInt32BE(packet.giaddr, 24)
  scratch.set(packet.chaddr, CHADDR_AT)
  if (packet.sname !== '') scratch.write(packet.sname, SNAME_AT, fitting(packet.sname.length, 64, 'sname'), 'latin1')
  if (packet.file !== '') scratch.write(packet.file, FILE_AT, fitting(packet.file.length, 128, 'file'), 'latin1')
  scratch.writeUInt32BE(MAGIC_COOKIE, COOKIE_AT)
}

/** A header field that took options is closed, and says so by its bit. */
function endSpare(at: number, start: number, end: number, bit: number): number {
  if (at === start || at === end) return 0
  scratch[at] = Option.end
  return bit
}

function fitting(length: number, width: number, field: string): number {
  if (length > width) throw new RangeError(`${length} bytes do not fit the ${width} of ${field}`)
  return length
}

function overloaded(options: Map<number, Uint8Array>): number {
  const value = options.get(Option.overload)
  if (value === undefined) return 0
  const bits = value[0]
  if (value.length !== 1 || bits === undefined || bits < 1 || bits > 3)
    throw new WireError('option overload (52) is not 1, 2 or 3')
  return bits
}

function text(bytes: Buffer, from: number, end: number): string {
  if (bytes[from] === 0) return ''
  const nul = bytes.indexOf(0, from)
  return bytes.toString('latin1', from, nul < 0 ? end : Math.min(nul, end))
}
