import { crc32 } from 'node:zlib'
import { CommandFailure } from '../failure.ts'

/** GUID partition table, UEFI 2.10 §5.3, over buffers. Sectors are numbered from 0 (LBA).
 *
 *   0  protective MBR │ 1  header │ 2…  entries │ first…last usable │ entries, again │ last sector: header, again */
export interface Header {
  /** Bytes of the header that its CRC covers. */
  length: number
  current: number
  backup: number
  firstUsable: number
  lastUsable: number
  diskGuid: Buffer
  entriesAt: number
  entryCount: number
  entryLength: number
}

export interface Table {
  header: Header
  entries: Buffer
  sector: number
}

export interface Partition {
  /** From 1, as in /dev/sda1. */
  number: number
  type: string
  guid: string
  first: number
  last: number
  name: string
}

export interface Write {
  offset: number
  bytes: Buffer
}

export const espType = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'
export const linuxType = '0fc63daf-8483-4772-8e79-3d69d8477de4'
export const raidType = 'a19d880f-05fc-4d3b-a006-743f0f84911e'
/** Where GRUB keeps its core for a BIOS. */
export const biosBootType = '21686148-6449-6e6f-744e-656564454649'
export const swapType = '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f'

const signature = 'EFI PART'
const mostEntriesBytes = 1024 * 1024
/** 128 entries, the least there may be. */
const entriesBytes = 128 * 128

/** The header in a sector, or undefined where there is none; a header that is damaged is an error. */
export function parseHeader(bytes: Buffer): Header | undefined {
  if (bytes.toString('latin1', 0, 8) !== signature) return undefined
  const length = bytes.readUInt32LE(12)
  if (length < 92 || length > bytes.length) throw damaged(`its header claims ${length} bytes`)
  const covered = Buffer.from(bytes.subarray(0, length))
  covered.writeUInt32LE(0, 16)
  if (crc32(covered) !== bytes.readUInt32LE(16)) throw damaged('the checksum of its header is wrong')
  const header = {
    length,
    current: lba(bytes, 24),
    backup: lba(bytes, 32),
    firstUsable: lba(bytes, 40),
    lastUsable: lba(bytes, 48),
    diskGuid: Buffer.from(bytes.subarray(56, 72)),
    entriesAt: lba(bytes, 72),
    entryCount: bytes.readUInt32LE(80),
    entryLength: bytes.readUInt32LE(84),
  }
  const { entryCount, entryLength } = header
  if (entryLength < 128 || entryLength % 8 !== 0 || entryCount === 0 || entryCount * entryLength > mostEntriesBytes)
    throw damaged(`it claims ${entryCount} entries of ${entryLength} bytes`)
  if (header.entriesAt < 2) throw damaged(`its entries begin in sector ${header.entriesAt}`)
  return header
}

/** A header and the entries read from where it points. */
export function tableOf(headerSector: Buffer, header: Header, entries: Buffer): Table {
  if (crc32(entries) !== headerSector.readUInt32LE(88)) throw damaged('the checksum of its entries is wrong')
  return { header, entries, sector: headerSector.length }
}

export function entriesLength({ entryCount, entryLength }: Header): number {
  return entryCount * entryLength
}

export function partitionsOf({ header, entries }: Table): Partition[] {
  return Array.from({ length: header.entryCount }, (_, index) => {
    const entry = entries.subarray(index * header.entryLength, (index + 1) * header.entryLength)
    return {
      number: index + 1,
      type: guidAt(entry, 0),
      guid: guidAt(entry, 16),
      first: lba(entry, 32),
      last: lba(entry, 40),
      name: entry.toString('utf16le', 56, 128).replace(/\0.*$/s, ''),
    }
  }).filter(({ type }) => type !== emptyType)
}

/** A table without partitions, first copy at the disk's start. */
export function emptyTable(sectors: number, sector: number, guid: string): Table {
  const entries = Buffer.alloc(entriesBytes)
  const room = entriesBytes / sector
  const header: Header = {
    length: 92,
    current: 1,
    backup: sectors - 1,
    firstUsable: 2 + room,
    lastUsable: sectors - room - 2,
    diskGuid: guidBytes(guid),
    entriesAt: 2,
    entryCount: 128,
    entryLength: 128,
  }
  return { header, entries, sector }
}

/** The same table for a disk of this many sectors: its second copy and its usable space reach the disk's end. */
export function fitted(table: Table, sectors: number): Table {
  const backup = sectors - 1
  const lastUsable = backup - entriesSectors(table) - 1
  const beyond = partitionsOf(table).find(({ last }) => last > lastUsable)
  if (beyond) throw damaged(`partition ${beyond.number} ends in sector ${beyond.last}, beyond the disk's usable space`)
  return { ...table, header: { ...table.header, backup, lastUsable } }
}

/** What is to be written where so that the disk bears this table, first copy and second. */
export function writesOf(table: Table): Write[] {
  const { header, entries, sector } = table
  const backupEntriesAt = header.backup - entriesSectors(table)
  const second = { ...header, current: header.backup, backup: header.current, entriesAt: backupEntriesAt }
  return [
    { offset: backupEntriesAt * sector, bytes: entries },
    { offset: header.backup * sector, bytes: encodeHeader(second, entries, sector) },
    { offset: header.entriesAt * sector, bytes: entries },
    { offset: header.current * sector, bytes: encodeHeader(header, entries, sector) },
  ]
}

export interface NewPartition {
  type: string
  guid: string
  name: string
  first: number
  last: number
}

export function withPartition(table: Table, added: NewPartition): { table: Table; number: number } {
  const { entryCount, entryLength } = table.header
  const taken = new Set(partitionsOf(table).map(({ number }) => number))
  const number = Array.from({ length: entryCount }, (_, index) => index + 1).find((each) => !taken.has(each))
  if (number === undefined) throw damaged(`all its ${entryCount} entries are taken`)
  const entry = Buffer.alloc(entryLength)
  guidBytes(added.type).copy(entry, 0)
  guidBytes(added.guid).copy(entry, 16)
  entry.writeBigUInt64LE(BigInt(added.first), 32)
  entry.writeBigUInt64LE(BigInt(added.last), 40)
  entry.write(added.name.slice(0, 36), 56, 'utf16le')
  const entries = Buffer.from(table.entries)
  entry.copy(entries, (number - 1) * entryLength)
  return { table: { ...table, entries }, number }
}

/** The first sector after the last partition. */
export function freeFrom(table: Table): number {
  return Math.max(table.header.firstUsable, ...partitionsOf(table).map(({ last }) => last + 1))
}

function encodeHeader(header: Header, entries: Buffer, sector: number): Buffer {
  const bytes = Buffer.alloc(sector)
  bytes.write(signature, 0, 'latin1')
  bytes.writeUInt32LE(0x0001_0000, 8) // revision 1.0
  bytes.writeUInt32LE(header.length, 12)
  bytes.writeBigUInt64LE(BigInt(header.current), 24)
  bytes.writeBigUInt64LE(BigInt(header.backup), 32)
  bytes.writeBigUInt64LE(BigInt(header.firstUsable), 40)
  bytes.writeBigUInt64LE(BigInt(header.lastUsable), 48)
  header.diskGuid.copy(bytes, 56)
  bytes.writeBigUInt64LE(BigInt(header.entriesAt), 72)
  bytes.writeUInt32LE(header.entryCount, 80)
  bytes.writeUInt32LE(header.entryLength, 84)
  bytes.writeUInt32LE(crc32(entries), 88)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, header.length)), 16)
  return bytes
}

function entriesSectors({ header, sector }: Table): number {
  return Math.ceil(entriesLength(header) / sector)
}

function lba(bytes: Buffer, offset: number): number {
  const value = bytes.readBigUInt64LE(offset)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`it names sector ${value}`)
  return Number(value)
}

/** The first three fields of a GUID are little-endian (UEFI 2.10 appendix A). */
export function guidAt(bytes: Buffer, offset: number): string {
  const hex = (from: number, to: number) => bytes.toString('hex', offset + from, offset + to)
  const turned = (from: number, to: number) =>
    Buffer.from(bytes.subarray(offset + from, offset + to))
      .reverse()
      .toString('hex')
  return [turned(0, 4), turned(4, 6), turned(6, 8), hex(8, 10), hex(10, 16)].join('-')
}

function guidBytes(guid: string): Buffer {
  const [a = '', b = '', c = '', ...rest] = guid.split('-').map((part) => Buffer.from(part, 'hex'))
  return Buffer.concat([...[a, b, c].map((part) => Buffer.from(part).reverse()), ...rest])
}

const emptyType = '00000000-0000-0000-0000-000000000000'

function damaged(why: string): CommandFailure {
  return new CommandFailure('PartitionTableError', `the GPT of the image cannot be used: ${why}`)
}
