import { crc32 } from 'node:zlib'
import type { RandomAccess } from './random-access.ts'

/** The partition table that a disk begins with: GPT (UEFI 2.10 §5.3) in sectors of 512 or 4096 bytes, or MBR (§5.2.1) with its logical
 * partitions. A table that makes no sense counts as none: what firmware would not read isn't there. */
export interface Layout {
  table: 'gpt' | 'mbr' | 'none'
  /** Bytes; 0 without a table. */
  sector: number
  partitions: LayoutPartition[]
}

export interface LayoutPartition {
  number: number
  /** Bytes. */
  start: number
  length: number
  type: string
  name: string
}

export const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'
const MOST = 128
const EXTENDED = new Set(['05', '0f', '85'])
const NONE: Layout = { table: 'none', sector: 0, partitions: [] }

export async function layoutOf(disk: RandomAccess): Promise<Layout> {
  const first = await disk.read(0, 512)
  if (first.length < 512 || first.readUInt16LE(510) !== 0xaa55) return NONE
  for (const sector of [512, 4096]) {
    const partitions = await gpt(disk, sector)
    if (partitions) return { table: 'gpt', sector, partitions }
  }
  const partitions = await mbr(disk, first)
  return partitions.length > 0 ? { table: 'mbr', sector: 512, partitions } : NONE
}

async function gpt(disk: RandomAccess, sector: number): Promise<LayoutPartition[] | undefined> {
  const header = await disk.read(sector, 92)
  if (header.length < 92 || header.toString('latin1', 0, 8) !== 'EFI PART') return undefined
  if (header.readUInt32LE(12) !== 92 || crcWithout(header) !== header.readUInt32LE(16)) return undefined
  const [count, length] = [header.readUInt32LE(80), header.readUInt32LE(84)]
  if (length < 128 || length > 4096 || count > 1024) return undefined
  const at = header.readBigUInt64LE(72)
  if (at > BigInt(disk.size)) return undefined
  const entries = await disk.read(Number(at) * sector, count * length)
  if (entries.length < count * length || crc32(entries) !== header.readUInt32LE(88)) return undefined
  const found: LayoutPartition[] = []
  for (let index = 0; index < count && found.length < MOST; index += 1) {
    const entry = entries.subarray(index * length, (index + 1) * length)
    const type = guid(entry)
    const [begin, end] = [entry.readBigUInt64LE(32), entry.readBigUInt64LE(40)]
    if (
      /^[0-]+$/.test(type) ||
      index >= MOST ||
      end < begin ||
      end > BigInt(Math.floor(Number.MAX_SAFE_INTEGER / sector) - 1)
    )
      continue
    const name = entry.toString('utf16le', 56, 128).replace(/\0.*$/s, '').toWellFormed()
    const start = Number(begin) * sector
    found.push({ number: index + 1, start, length: (Number(end) + 1) * sector - start, type, name })
  }
  return found
}

function crcWithout(header: Buffer): number {
  const copy = Buffer.from(header)
  copy.writeUInt32LE(0, 16)
  return crc32(copy)
}

/** The first three fields are little-endian, the others as written (UEFI 2.10 appendix A). */
function guid(b: Buffer): string {
  const hex = (from: number, to: number): string => b.toString('hex', from, to)
  const swapped = (from: number, to: number): string => Buffer.from(b.subarray(from, to)).reverse().toString('hex')
  return [swapped(0, 4), swapped(4, 6), swapped(6, 8), hex(8, 10), hex(10, 16)].join('-')
}

async function mbr(disk: RandomAccess, first: Buffer): Promise<LayoutPartition[]> {
  const found: LayoutPartition[] = []
  for (let slot = 0; slot < 4; slot += 1) {
    const entry = slotOf(first, slot)
    if (!entry) continue
    found.push({ number: slot + 1, ...place(entry, 0), name: '' })
    if (EXTENDED.has(entry.type)) found.push(...(await logical(disk, entry.start)))
  }
  return found.slice(0, MOST)
}

/** A chain of tables: each has one partition, and where the next table is, counted from the first. */
async function logical(disk: RandomAccess, base: number): Promise<LayoutPartition[]> {
  const found: LayoutPartition[] = []
  let at = base
  for (let number = 5; number <= MOST; number += 1) {
    const table = await disk.read(at * 512, 512)
    if (table.length < 512 || table.readUInt16LE(510) !== 0xaa55) break
    const [own, next] = [slotOf(table, 0), slotOf(table, 1)]
    if (own) found.push({ number, ...place(own, at), name: '' })
    // It only ever goes forward: a chain that turns back would not end.
    if (!next || base + next.start <= at) break
    at = base + next.start
  }
  return found
}

interface Slot {
  type: string
  /** Sectors. */
  start: number
  length: number
}

function slotOf(table: Buffer, slot: number): Slot | undefined {
  const at = 446 + slot * 16
  const type = table.toString('hex', at + 4, at + 5)
  const [boot, start, length] = [table[at]!, table.readUInt32LE(at + 8), table.readUInt32LE(at + 12)]
  // A boot sector of a file system has text where a table has these.
  return type === '00' || length === 0 || (boot & 0x7f) !== 0 ? undefined : { type, start, length }
}

function place({ type, start, length }: Slot, base: number): Pick<LayoutPartition, 'start' | 'length' | 'type'> {
  return { start: (base + start) * 512, length: length * 512, type }
}
