import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { readTypeAndLength, readTypedText } from './typed-text.ts'

/** Who made the machine, and its numbers: the FRU Information Storage Definition 1.0. Absent areas and fields are undefined. */
export interface Fru {
  chassis?: { type: number; part?: string; serial?: string; custom: string[] }
  board?: { manufacturer?: string; product?: string; serial?: string; part?: string; custom: string[] }
  product?: {
    manufacturer?: string
    name?: string
    part?: string
    version?: string
    serial?: string
    assetTag?: string
    custom: string[]
  }
}

const VERSION = 1
/** §8: offsets and lengths are counted in these. */
const UNIT = 8
/** "No more fields." */
const END = 0xc1

/** §8 | version | internal | chassis | board | product | multi-record | pad | checksum |, offsets, 0 where there is none. */
export function readFru(bytes: Uint8Array): Fru {
  const header = bytes.subarray(0, UNIT)
  const [version = 0, , chassis = 0, board = 0, product = 0] = header
  if (header.length < UNIT || (version & 0xf) !== VERSION) throw new WireError(`no FRU of version ${VERSION} is here`)
  if (!sumsToZero(header)) throw new WireError("the FRU header's checksum is wrong")
  return {
    ...(chassis && { chassis: readChassis(area(bytes, chassis)) }),
    ...(board && { board: readBoard(area(bytes, board)) }),
    ...(product && { product: readProduct(area(bytes, product)) }),
  }
}

/** §10 */
function readChassis(reader: Reader): Fru['chassis'] {
  const type = reader.u8()
  const [part, serial, ...custom] = readFields(reader)
  return { type, part, serial, custom }
}

/** §11: language and a date of three bytes come first, and the FRU file's name among the fields. */
function readBoard(reader: Reader): Fru['board'] {
  reader.skip(4)
  const [manufacturer, product, serial, part, , ...custom] = readFields(reader)
  return { manufacturer, product, serial, part, custom }
}

/** §12 */
function readProduct(reader: Reader): Fru['product'] {
  reader.skip(1)
  const [manufacturer, name, part, version, serial, assetTag, , ...custom] = readFields(reader)
  return { manufacturer, name, part, version, serial, assetTag, custom }
}

/** | version | length | … | checksum |; the reader stands behind the length and ends before the checksum. */
function area(bytes: Uint8Array, offset: number): Reader {
  const start = offset * UNIT
  const length = (bytes[start + 1] ?? 0) * UNIT
  const whole = bytes.subarray(start, start + length)
  if (length === 0 || whole.length < length)
    throw new WireError(`a FRU area of ${length} bytes at ${start} is cut short`)
  if (!sumsToZero(whole)) throw new WireError(`the checksum of the FRU area at ${start} is wrong`)
  return new Reader(whole.subarray(2, -1))
}

/** Some vendors leave the end mark off: then the area's end is the end. */
function readFields(reader: Reader): string[] {
  const fields: string[] = []
  while (reader.remaining > 0) {
    const head = reader.u8()
    if (head === END) break
    fields.push(readTypedText(reader, readTypeAndLength(head)))
  }
  return fields
}

function sumsToZero(bytes: Uint8Array): boolean {
  return (bytes.reduce((sum, byte) => sum + byte, 0) & 0xff) === 0
}
