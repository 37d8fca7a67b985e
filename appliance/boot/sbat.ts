import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'

/** Component → generation: github.com/rhboot/shim, SBAT.md. */
export type Generations = ReadonlyMap<string, number>

const MAX_SECTIONS = 96
const MAX_TEXT = 64 * 1_024

/** What a boot loader says of itself (section `.sbat`), component by component; nothing where it has none. */
export function sbatOf(image: Uint8Array): Generations {
  const section = sectionOf(image, '.sbat')
  return section === undefined ? new Map() : generations(section)
}

/**
 * The least generations that a shim starts by itself (section `.sbatlevel`, its "latest" level): an offset to each of two texts, counted
 * from behind the version.
 */
export function revokedBy(shim: Uint8Array): Generations {
  const section = sectionOf(shim, '.sbatlevel')
  if (section === undefined || section.length < 12) return new Map()
  const reader = new Reader(section)
  if (reader.u32le() !== 0) return new Map()
  reader.skip(4)
  const latest = reader.u32le() + 4
  return latest < section.length ? generations(section.subarray(latest)) : new Map()
}

/** The first component of an image that is revoked, in words. */
export function revocation(image: Generations, level: Generations): string | undefined {
  for (const [component, least] of level) {
    const has = image.get(component)
    if (component !== 'sbat' && has !== undefined && has < least)
      return `its ${component} is of generation ${has}, and those before ${least} are revoked`
  }
  return undefined
}

/** `component,generation,…` a line. */
function generations(section: Uint8Array): Generations {
  const rows = textOf(section.subarray(0, MAX_TEXT))
    .split('\n')
    .map((line) => line.split(','))
  const known = rows.filter(([name = '', generation = '']) => name !== '' && /^\d{1,9}$/.test(generation))
  return new Map(known.map(([name = '', generation]) => [name, Number(generation)]))
}

/**
 * PE/COFF: the header's place is at 60; behind its 24 bytes and the optional header come the sections, 40 bytes each. A name over 8 bytes
 * stands as `/OFFSET` in the string table, which follows the symbols of 18 bytes.
 */
function sectionOf(image: Uint8Array, name: string): Uint8Array | undefined {
  try {
    const at = new Reader(image.subarray(60)).u32le()
    const header = new Reader(image.subarray(at))
    if (header.u32le() !== 0x4550) return undefined // "PE\0\0"
    header.skip(2)
    const count = Math.min(header.u16le(), MAX_SECTIONS)
    header.skip(4)
    const strings = header.u32le() + 18 * header.u32le()
    const sections = new Reader(image.subarray(at + 24 + header.u16le()))
    for (let index = 0; index < count; index += 1) {
      const title = textOf(sections.bytes(8))
      sections.skip(8)
      const [size, from] = [sections.u32le(), sections.u32le()]
      sections.skip(16)
      const long = /^\/(\d{1,7})$/.exec(title)?.[1]
      const full = long === undefined ? title : textOf(image.subarray(strings + Number(long)).subarray(0, 64))
      if (full === name) return image.subarray(from, from + size)
    }
    return undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').split('\0')[0] ?? ''
}
