import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'

/** IPMI 2.0 §15.9, tables 15-2 and 15-3. Both directions have the same form; what the flags mean differs.
 *
 *     | sequence | acknowledged sequence | accepted characters | flags | characters … |
 */
export interface SolPacket {
  /** 1–15; 0: there is nothing in it that is to be acknowledged. */
  sequence: number
  /** 0: it acknowledges nothing. */
  acknowledged: number
  accepted: number
  flags: number
  data: Uint8Array
}

/** The flag that both directions have: of what is acknowledged, not all was taken. */
export const NACK = 0x40

/** Table 15-2: operations, from the remote console to the BMC. */
export const operations = {
  ring: 0x20,
  lineBreak: 0x10,
  ctsPause: 0x08,
  deassertDcd: 0x04,
  flushIn: 0x02,
  flushOut: 0x01,
}

/** Table 15-3: status, from the BMC to the remote console. */
export const statusFlags = { unavailable: 0x20, deactivated: 0x10, overrun: 0x08, lineBreak: 0x04 }

export const SOL_HEADER = 4
export const MAX_SEQUENCE = 15
/** §15.10: accepted characters are counted in one byte. */
export const MAX_CHARACTERS = 255

export function encodeSolPacket({ sequence, acknowledged, accepted, flags, data }: SolPacket): Uint8Array {
  return new Writer(SOL_HEADER + data.length).u8(sequence).u8(acknowledged).u8(accepted).u8(flags).bytes(data).finish()
}

export function decodeSolPacket(bytes: Uint8Array): SolPacket {
  const reader = new Reader(bytes)
  const sequence = reader.u8() & MAX_SEQUENCE
  const acknowledged = reader.u8() & MAX_SEQUENCE
  const packet = { sequence, acknowledged, accepted: reader.u8(), flags: reader.u8(), data: reader.rest() }
  if (packet.data.length > MAX_CHARACTERS)
    throw new WireError(`${packet.data.length} characters in a SOL packet; ${MAX_CHARACTERS} is the most`)
  return packet
}
