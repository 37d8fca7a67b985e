import { WireError } from '@bloomery/wire/error.ts'
import type { Reader } from '@bloomery/wire/reader.ts'

/** IPMI 2.0 §43.15 and FRU specification §13: one byte of type (2 bits) and length, then so many bytes of text. */
const [BCD_PLUS, SIX_BIT] = [1, 2]
const BCD_PLUS_DIGITS = '0123456789 -.:,_'
const LENGTH = 0x3f

export interface TypeAndLength {
  type: number
  length: number
}

export function readTypeAndLength(byte: number): TypeAndLength {
  return { type: byte >> 6, length: byte & LENGTH }
}

/** Type 0 is Unicode in a sensor record and "binary" in a FRU; by use both are shown as text if they are text. */
export function readTypedText(reader: Reader, { type, length }: TypeAndLength): string {
  if (length > reader.remaining)
    throw new WireError(`a text of ${length} bytes, of which ${reader.remaining} are there`)
  return textOf(type, reader.bytes(length)).replace(/[\0 ]+$/, '')
}

function textOf(type: number, bytes: Uint8Array): string {
  if (type === BCD_PLUS) return [...bytes].map((byte) => `${digit(byte >> 4)}${digit(byte & 0xf)}`).join('')
  if (type === SIX_BIT) return sixBit(bytes)
  return Buffer.from(bytes).toString('latin1')
}

function digit(nibble: number): string {
  return BCD_PLUS_DIGITS[nibble] ?? ''
}

/** Packed from the lowest bit on; 0 is a space. */
function sixBit(bytes: Uint8Array): string {
  const characters = Math.floor((bytes.length * 8) / 6)
  return Array.from({ length: characters }, (_, at) => {
    const bit = at * 6
    const pair = (bytes[bit >> 3] ?? 0) | ((bytes[(bit >> 3) + 1] ?? 0) << 8)
    return String.fromCharCode(0x20 + ((pair >> (bit & 7)) & 0x3f))
  }).join('')
}
