/** One structure of the SMBIOS table (DSP0134 §6.1): its formatted area, header and all, and its strings. */
export interface Structure {
  type: number
  area: Buffer
  strings: string[]
}

/** A table of firmware is some tens of structures; more is not one. */
const MOST = 4096
const END_OF_TABLE = 127

/** The structures in their order, as far as the table can be read: firmware that cuts its table short is common. */
export function parseSmbios(table: Buffer): Structure[] {
  const found: Structure[] = []
  for (let at = 0; at + 4 <= table.length && found.length < MOST;) {
    const type = table.readUInt8(at)
    const length = table.readUInt8(at + 1)
    if (length < 4 || at + length > table.length) break
    const area = table.subarray(at, at + length)
    const { strings, end } = stringsFrom(table, at + length)
    found.push({ type, area, strings })
    if (type === END_OF_TABLE) break
    at = end
  }
  return found
}

/** Strings end with a zero each, and all of them with another; where there are none there are two zeros. */
function stringsFrom(table: Buffer, start: number): { strings: string[]; end: number } {
  const strings: string[] = []
  let at = start
  while (at < table.length && table[at] !== 0) {
    const zero = table.indexOf(0, at)
    const end = zero === -1 ? table.length : zero
    strings.push(
      table
        .toString('latin1', at, end)
        .replaceAll(/[^\x20-\x7e]/g, ' ')
        .trim(),
    )
    at = end + 1
  }
  return { strings, end: Math.max(at + 1, start + 2) }
}

/** The string whose number (from one; zero is none) stands at `offset`. */
export function stringAt({ area, strings }: Structure, offset: number): string | undefined {
  const number = offset < area.length ? area.readUInt8(offset) : 0
  return strings[number - 1] || undefined
}

const MEMORY_DEVICE = 17

/** Mebibytes of all memory modules (§7.18, sizes at 0Ch and 1Ch): more than the kernel can use. Undefined where none says. */
export function memoryMebibytes(structures: readonly Structure[]): number | undefined {
  const sizes = structures.filter(({ type }) => type === MEMORY_DEVICE).map(({ area }) => moduleMebibytes(area))
  const sum = sizes.reduce((total, size) => total + size, 0)
  return sum > 0 ? sum : undefined
}

function moduleMebibytes(area: Buffer): number {
  const size = area.length >= 0x0e ? area.readUInt16LE(0x0c) : 0
  if (size === 0xffff) return 0
  if (size === 0x7fff) return area.length >= 0x20 ? area.readUInt32LE(0x1c) & 0x7fffffff : 0
  return size & 0x8000 ? (size & 0x7fff) / 1024 : size
}

/** Who made the machine and its firmware (§7.1, §7.2), under ironic-python-agent's keys. */
export function systemVendor(structures: readonly Structure[]): Record<string, unknown> | undefined {
  const system = structures.find(({ type }) => type === 1)
  const firmware = structures.find(({ type }) => type === 0)
  if (!system && !firmware) return undefined
  return {
    product_name: (system && stringAt(system, 0x05)) ?? '',
    serial_number: (system && stringAt(system, 0x07)) ?? '',
    manufacturer: (system && stringAt(system, 0x04)) ?? '',
    firmware: {
      vendor: (firmware && stringAt(firmware, 0x04)) ?? '',
      version: (firmware && stringAt(firmware, 0x05)) ?? '',
      build_date: (firmware && stringAt(firmware, 0x08)) ?? '',
    },
  }
}
