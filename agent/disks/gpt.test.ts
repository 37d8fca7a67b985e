import { expect, it } from 'vitest'
import { crc32 } from 'node:zlib'
import {
  fitted,
  freeFrom,
  linuxType,
  parseHeader,
  partitionsOf,
  tableOf,
  withPartition,
  writesOf,
  type Table,
} from './gpt.ts'
import { parseMbr, stretched, withMbrPartition } from './mbr.ts'

/** A table on a disk of 2048 sectors, with nothing in it. */
function blank(): Table {
  return {
    sector: 512,
    entries: Buffer.alloc(128 * 128),
    header: {
      length: 92,
      current: 1,
      backup: 2047,
      firstUsable: 34,
      lastUsable: 2014,
      diskGuid: Buffer.alloc(16, 7),
      entriesAt: 2,
      entryCount: 128,
      entryLength: 128,
    },
  }
}
const part = (first: number, last: number, name = 'root') => ({
  type: linuxType,
  guid: '01234567-89ab-cdef-0123-456789abcdef',
  name,
  first,
  last,
})

/** Writes a table to a disk in memory and reads it back from the given sector. */
function reread(table: Table, sectors: number, from: number): Table {
  const disk = Buffer.alloc(sectors * 512)
  for (const { offset, bytes } of writesOf(table)) bytes.copy(disk, offset)
  const sector = disk.subarray(from * 512, (from + 1) * 512)
  const header = parseHeader(sector)
  if (!header) throw new Error('no header there')
  return tableOf(sector, header, disk.subarray(header.entriesAt * 512, header.entriesAt * 512 + 128 * 128))
}

it('reads back what it wrote, from the first copy and from the second', () => {
  const { table, number } = withPartition(blank(), part(64, 127, 'config-2'))
  expect(number).toBe(1)
  for (const from of [1, 2047])
    expect(partitionsOf(reread(table, 2048, from))).toEqual([{ number: 1, ...part(64, 127, 'config-2') }])
  expect(reread(table, 2048, 2047).header).toMatchObject({ current: 2047, backup: 1, entriesAt: 2015 })
})

it('reaches the end of a larger disk', () => {
  const table = fitted(withPartition(blank(), part(64, 2014)).table, 8192)
  expect(table.header).toMatchObject({ backup: 8191, lastUsable: 8158, firstUsable: 34 })
  expect(reread(table, 8192, 8191).header.backup).toBe(1)
  expect(freeFrom(table)).toBe(2015)
})

it('does not fit a disk that ends before its partitions do', () => {
  expect(() => fitted(withPartition(blank(), part(64, 2014)).table, 1024)).toThrow('partition 1 ends in sector 2014')
})

it('takes the first free entry, and says when none is left', () => {
  let table = withPartition(withPartition(blank(), part(64, 65)).table, part(66, 67)).table
  table.entries.fill(0, 0, 128)
  expect(withPartition(table, part(68, 69)).number).toBe(1)
  const entries = Buffer.alloc(128 * 128)
  for (let each = 0; each < entries.length; each += 128) entries.writeUInt8(1, each)
  table = { ...table, entries }
  expect(() => withPartition(table, part(68, 69))).toThrow('all its 128 entries are taken')
})

it('is not seen where its signature is missing, and refused where it is damaged', () => {
  const [, , entries, header] = writesOf(blank()).map(({ bytes }) => bytes)
  if (!entries || !header) throw new Error('no writes')
  expect(parseHeader(Buffer.alloc(512))).toBeUndefined()
  const torn = Buffer.from(header)
  torn.writeUInt8(9, 40)
  expect(() => parseHeader(torn)).toThrow('the checksum of its header is wrong')
  const long = Buffer.from(header)
  long.writeUInt32LE(4096, 12)
  expect(() => parseHeader(long)).toThrow('claims 4096 bytes')
  const many = Buffer.from(header)
  many.writeUInt32LE(0x7fff_ffff, 80)
  many.writeUInt32LE(0, 16)
  many.writeUInt32LE(crc32(many.subarray(0, 92)), 16)
  expect(() => parseHeader(many)).toThrow('entries of 128 bytes')
  const parsed = parseHeader(header)
  if (!parsed) throw new Error('no header')
  expect(() => tableOf(header, parsed, Buffer.alloc(128 * 128, 3))).toThrow('the checksum of its entries is wrong')
})

it('has its protective record stretched over the disk, as far as 32 bits go', () => {
  const record = Buffer.alloc(512)
  record.writeUInt8(0xee, 450)
  record.writeUInt32LE(1, 454)
  record.writeUInt32LE(2047, 458)
  record.writeUInt16LE(0xaa55, 510)
  expect(parseMbr(stretched(record, 8192))).toEqual([{ number: 1, type: 0xee, first: 1, sectors: 8191 }])
  expect(parseMbr(stretched(record, 2 ** 33))?.[0]?.sectors).toBe(0xffff_ffff)
})

it('an MBR takes a fourth partition, not a fifth, and none beyond 2 TiB', () => {
  let record: Buffer = Buffer.alloc(512)
  record.writeUInt16LE(0xaa55, 510)
  expect(parseMbr(record)).toBeUndefined()
  expect(() => withMbrPartition(record, 2 ** 32, 8)).toThrow('2 TiB')
  for (const number of [1, 2, 3, 4]) {
    const added = withMbrPartition(record, number * 2048, 2048)
    expect(added.number).toBe(number)
    record = added.bytes
  }
  expect(parseMbr(record)?.[3]).toEqual({ number: 4, type: 0x83, first: 8192, sectors: 2048 })
  expect(() => withMbrPartition(record, 10_240, 8)).toThrow('all are taken')
})

it('the boot sector of a bare file system is no partition table', () => {
  const sector = Buffer.alloc(512, 0x41)
  sector.writeUInt16LE(0xaa55, 510)
  expect(parseMbr(sector)).toBeUndefined()
})
