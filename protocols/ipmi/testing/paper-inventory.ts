import { Writer } from '@bloomery/wire/writer.ts'
import type { Inventory, PowerReading } from '../bmc-options.ts'

/** An inlet at 23.5 °C (½·x − 10), a fan of 5400 RPM (60·x), a power supply's presence, and a rail that can't be read now. */
export const inletRaw = 67
export const fanRaw = 90
/** Raw, in the order of the record: 60, 55 and 50 °C above, 1, 2 and 3 °C below. */
const inletLimits = [140, 130, 120, 22, 24, 26]
export const records: readonly Uint8Array[] = [
  fullRecord({ number: 1, type: 0x01, unit: 1, m: 5, b: -100, resultExponent: -1, name: 'Inlet', limits: inletLimits }),
  fullRecord({ number: 2, type: 0x04, unit: 18, m: 60, b: 0, resultExponent: 0, name: 'Fan 1' }),
  compactRecord({ number: 3, type: 0x08, eventType: 0x6f, name: 'PSU 1' }),
  fullRecord({ number: 4, type: 0x02, unit: 4, m: 1, b: 0, resultExponent: 0, name: '12V' }),
]

export const drawn: PowerReading = { watts: 212, minimum: 180, maximum: 340, average: 205, periodMs: 1000 }

export function paperInventory(): Inventory {
  const now = [{ raw: inletRaw, states: 0 }, { raw: fanRaw, states: 0x02 }, { raw: 0, states: 0x01 }, undefined]
  return {
    sensors: records.map((record, at) => ({ record, read: () => Promise.resolve(now[at]) })),
    fru: fruBytes(),
    power: () => Promise.resolve(drawn),
    hours: () => Promise.resolve(1234),
  }
}

interface RecordOf {
  number: number
  type: number
  name: string
}

/** IPMI 2.0 §43.1: a threshold sensor of the BMC whose reading is unsigned and linear. */
function fullRecord(
  of: RecordOf & { unit: number; m: number; b: number; resultExponent: number; limits?: readonly number[] },
): Uint8Array {
  const masks = of.limits && [0x95, 0x7a, 0x95, 0x7a, 0x3f, 0x3f]
  const writer = header(0x01, 43 + of.name.length, { ...of, eventType: 0x01, masks })
  const { unit, m, b, resultExponent } = of
  writer.u8(0).u8(unit).u8(0).u8(0)
  writer.u8(m & 0xff).u8((m & 0x300) >> 2)
  writer.u8(b & 0xff).u8((b & 0x300) >> 2)
  writer.u8(0).u8((resultExponent & 0xf) << 4)
  writer.zeros(6).padded(Uint8Array.from(of.limits ?? []), 6)
  return name(
    writer
      .u8(of.limits ? 2 : 0)
      .u8(of.limits ? 2 : 0)
      .zeros(3),
    of.name,
  )
}

/** §43.2 */
function compactRecord(of: RecordOf & { eventType: number }): Uint8Array {
  return name(
    header(0x02, 27 + of.name.length, of)
      .u8(0xc0)
      .zeros(10),
    of.name,
  )
}

/** Up to the units: what §43.1 and §43.2 have in common. */
function header(
  type: number,
  length: number,
  of: RecordOf & { eventType: number; masks?: readonly number[] | undefined },
): Writer {
  const writer = new Writer(64).u16le(0).u8(0x51).u8(type).u8(length)
  writer.u8(0x20).u8(0).u8(of.number).u8(0x07).u8(of.number)
  return writer
    .u8(0x7f)
    .u8(0x68)
    .u8(of.type)
    .u8(of.eventType)
    .padded(Uint8Array.from(of.masks ?? []), 6)
}

function name(writer: Writer, text: string): Uint8Array {
  return writer
    .u8(0xc0 | text.length)
    .bytes(Buffer.from(text, 'latin1'))
    .finish()
}

/** A chassis, a board and a product area. */
export function fruBytes(): Uint8Array {
  const chassis = area([0x17], ['CH-1', 'C0001'])
  const board = area([25, 0, 0, 0], ['Acme', 'Board X', 'B0001', 'PN-9', 'fru.bin'])
  const product = area([25], ['Acme', 'Server 1U', 'SRV-1', 'A1', 'P0001', 'tag-7', ''])
  const starts = [1, 1 + chassis.length / 8, 1 + (chassis.length + board.length) / 8]
  return Buffer.concat([summed([1, 0, ...starts, 0, 0]), chassis, board, product])
}

function area(head: number[], texts: string[]): Uint8Array {
  const fields = texts.flatMap((text) => [0xc0 | text.length, ...Buffer.from(text, 'latin1')])
  const body = [...head, ...fields, 0xc1]
  const units = Math.ceil((body.length + 3) / 8)
  return summed([1, units, ...body, ...new Uint8Array(units * 8 - body.length - 3)])
}

function summed(bytes: number[]): Uint8Array {
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  return Uint8Array.from([...bytes, -sum & 0xff])
}
