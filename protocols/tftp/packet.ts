import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'

export type TftpOptions = ReadonlyMap<string, string>

export type TftpPacket =
  | { op: 'rrq' | 'wrq'; file: string; mode: string; options: TftpOptions }
  | { op: 'data'; block: number; data: Uint8Array }
  | { op: 'ack'; block: number }
  | { op: 'error'; code: number; message: string }
  | { op: 'oack'; options: TftpOptions }

/** RFC 1350 §5, RFC 2347 */
const Opcode = { rrq: 1, wrq: 2, data: 3, ack: 4, error: 5, oack: 6 } as const

export const TftpError = {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  illegalOperation: 4,
  unknownTransfer: 5,
  optionRefused: 8, // RFC 2347
} as const

const MAX_REQUEST = 512 // RFC 2347
const MAX_BLOCK = 65_464 // RFC 2348

/*
    2 bytes     string    1 byte     string   1 byte             RFC 1350 §5
   | Opcode |  Filename  |   0  |    Mode    |   0  | option 0 value 0 … |      RRQ, WRQ
   | Opcode |   Block #  |   n bytes Data    |                              DATA (ACK: without data)
   | Opcode |  ErrorCode |   ErrMsg   |   0  |                              ERROR
*/
export function decodePacket(bytes: Uint8Array): TftpPacket {
  const reader = new Reader(bytes)
  const opcode = reader.u16()
  switch (opcode) {
    case Opcode.rrq:
    case Opcode.wrq: {
      if (bytes.length > MAX_REQUEST) throw new WireError(`a request of ${bytes.length} bytes is over ${MAX_REQUEST}`)
      const file = text(reader)
      const mode = text(reader).toLowerCase()
      return { op: opcode === Opcode.rrq ? 'rrq' : 'wrq', file, mode, options: readOptions(reader) }
    }
    case Opcode.data: {
      const block = reader.u16()
      if (reader.remaining > MAX_BLOCK) throw new WireError(`a block of ${reader.remaining} bytes is over ${MAX_BLOCK}`)
      return { op: 'data', block, data: reader.rest() }
    }
    case Opcode.ack:
      return { op: 'ack', block: reader.u16() }
    case Opcode.error: {
      const code = reader.u16()
      return { op: 'error', code, message: printable(reader.bytes(Math.min(reader.remaining, 256))) }
    }
    case Opcode.oack:
      if (bytes.length > MAX_REQUEST) throw new WireError(`an OACK of ${bytes.length} bytes is over ${MAX_REQUEST}`)
      return { op: 'oack', options: readOptions(reader) }
    default:
      throw new WireError(`opcode ${opcode} is none of TFTP's`)
  }
}

export function encodePacket(packet: TftpPacket): Uint8Array {
  const writer = new Writer(packet.op === 'data' ? packet.data.length + 4 : 64).u16(Opcode[packet.op])
  switch (packet.op) {
    case 'rrq':
    case 'wrq':
      return writeOptions(writeText(writeText(writer, packet.file), packet.mode), packet.options).finish()
    case 'data':
      return writer.u16(packet.block).bytes(packet.data).finish()
    case 'ack':
      return writer.u16(packet.block).finish()
    case 'error':
      return writeText(writer.u16(packet.code), packet.message).finish()
    default:
      return writeOptions(writer, packet.options).finish()
  }
}

/** Names are case-insensitive: RFC 2347. Firmware pads requests with NULs, so an empty name ends the options. */
function readOptions(reader: Reader): Map<string, string> {
  const options = new Map<string, string>()
  while (reader.remaining > 0) {
    const name = text(reader).toLowerCase()
    if (name === '') break
    if (options.has(name)) throw new WireError(`option ${JSON.stringify(name)} comes twice`)
    options.set(name, text(reader))
  }
  return options
}

function writeOptions(writer: Writer, options: TftpOptions): Writer {
  for (const [name, value] of options) writeText(writeText(writer, name), value)
  return writer
}

function text(reader: Reader): string {
  return Buffer.from(reader.untilNul()).toString('latin1')
}

function writeText(writer: Writer, value: string): Writer {
  return writer.bytes(Buffer.from(value, 'latin1')).u8(0)
}

function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '')
}
