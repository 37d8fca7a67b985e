/** A small FAT12 file system (Microsoft's "FAT: General Overview of On-Disk Format" 1.03), for what UEFI loads from a CD. */

export interface FatFile {
  /** Names of 8.3 upper-case characters, joined by slashes. */
  path: string
  content: Uint8Array
}

const SECTOR = 512
const CLUSTER = 8 * SECTOR
const RESERVED = 1
const FATS = 2
const ROOT_ENTRIES = 128
/** FAT12 has fewer clusters than this. */
const MOST_CLUSTERS = 4084
const END = 0xfff
/** 1980-01-01, the first day of FAT: equal input gives equal bytes. */
const DAY = (1 << 5) | 1

interface Folder {
  entries: { name: string; cluster: number; size: number; folder: boolean }[]
  cluster: number
  parent: number
}

export function writeFat(files: readonly FatFile[]): Uint8Array {
  const clusters: Uint8Array[] = []
  const table: number[] = [0xff8, END]
  /** The first cluster of these bytes; an empty file has none. */
  const store = (content: Uint8Array): number => {
    const first = clusters.length + 2
    const count = Math.ceil(content.length / CLUSTER)
    for (let index = 0; index < count; index += 1) {
      clusters.push(content.subarray(index * CLUSTER, (index + 1) * CLUSTER))
      table.push(index === count - 1 ? END : first + index + 1)
    }
    return count === 0 ? 0 : first
  }
  const folders = new Map<string, Folder>([['', { entries: [], cluster: 0, parent: 0 }]])
  const folder = (path: string): Folder => {
    const known = folders.get(path)
    if (known) return known
    const above = folder(path.split('/').slice(0, -1).join('/'))
    // A cluster of its own, filled in at the end: 126 entries are enough for a boot partition.
    const made: Folder = { entries: [], cluster: store(new Uint8Array(CLUSTER)), parent: above.cluster }
    above.entries.push({ name: path.split('/').at(-1)!, cluster: made.cluster, size: 0, folder: true })
    folders.set(path, made)
    return made
  }
  for (const { path, content } of files)
    folder(path.split('/').slice(0, -1).join('/')).entries.push({
      name: path.split('/').at(-1)!,
      cluster: store(content),
      size: content.length,
      folder: false,
    })
  if (clusters.length > MOST_CLUSTERS)
    throw new RangeError(`a boot partition of ${clusters.length} clusters is more than FAT12's ${MOST_CLUSTERS}`)
  for (const { cluster, parent, entries } of folders.values())
    if (cluster > 0)
      clusters[cluster - 2] = listing(
        [
          { name: '.', cluster, size: 0, folder: true },
          { name: '..', cluster: parent, size: 0, folder: true },
          ...entries,
        ],
        CLUSTER,
      )
  const root = listing(folders.get('')!.entries, ROOT_ENTRIES * 32)
  return assemble(table, root, clusters)
}

function assemble(table: readonly number[], root: Uint8Array, clusters: readonly Uint8Array[]): Uint8Array {
  const fatSectors = Math.ceil((table.length * 1.5) / SECTOR)
  const dataAt = (RESERVED + FATS * fatSectors) * SECTOR + root.length
  const size = dataAt + clusters.length * CLUSTER
  const bytes = Buffer.alloc(size)
  bootSector(bytes, size / SECTOR, fatSectors)
  const fat = packed(table, fatSectors * SECTOR)
  for (let copy = 0; copy < FATS; copy += 1) bytes.set(fat, (RESERVED + copy * fatSectors) * SECTOR)
  bytes.set(root, dataAt - root.length)
  for (const [index, content] of clusters.entries()) bytes.set(content, dataAt + index * CLUSTER)
  return bytes
}

function bootSector(bytes: Buffer, sectors: number, fatSectors: number): void {
  bytes.set([0xeb, 0x3c, 0x90])
  bytes.write('BLOOMERY', 3, 'latin1')
  bytes.writeUInt16LE(SECTOR, 11)
  bytes[13] = CLUSTER / SECTOR
  bytes.writeUInt16LE(RESERVED, 14)
  bytes[16] = FATS
  bytes.writeUInt16LE(ROOT_ENTRIES, 17)
  if (sectors < 0x10000) bytes.writeUInt16LE(sectors, 19)
  else bytes.writeUInt32LE(sectors, 32)
  bytes[21] = 0xf8
  bytes.writeUInt16LE(fatSectors, 22)
  bytes.writeUInt16LE(32, 24) // sectors a track and heads: of no disk, but some readers want them
  bytes.writeUInt16LE(2, 26)
  bytes[36] = 0x80
  bytes[38] = 0x29 // what follows is there
  bytes.writeUInt32LE(0x20260101, 39)
  bytes.write('BLOOMERY   FAT12   ', 43, 'latin1')
  bytes.writeUInt16LE(0xaa55, 510)
}

/** Two entries of 12 bits in three bytes. */
function packed(table: readonly number[], size: number): Uint8Array {
  const bytes = Buffer.alloc(size)
  for (const [index, value] of table.entries()) {
    const at = Math.floor(index * 1.5)
    const word = bytes.readUInt16LE(at)
    bytes.writeUInt16LE(index % 2 === 0 ? (word & 0xf000) | value : (word & 0x000f) | (value << 4), at)
  }
  return bytes
}

function listing(entries: Folder['entries'], size: number): Uint8Array {
  if (entries.length * 32 > size) throw new RangeError(`${entries.length} names do not fit one folder`)
  const bytes = Buffer.alloc(size)
  for (const [index, { name, cluster, size: length, folder }] of entries.entries()) {
    const at = index * 32
    bytes.write(shortName(name), at, 'latin1')
    bytes[at + 11] = folder ? 0x10 : 0x20
    bytes.writeUInt16LE(DAY, at + 16)
    bytes.writeUInt16LE(DAY, at + 18)
    bytes.writeUInt16LE(DAY, at + 24)
    bytes.writeUInt16LE(cluster, at + 26)
    bytes.writeUInt32LE(length, at + 28)
  }
  return bytes
}

function shortName(name: string): string {
  if (name === '.' || name === '..') return name.padEnd(11)
  const [, stem = '', extension = ''] = /^([A-Z0-9_-]{1,8})(?:\.([A-Z0-9_-]{1,3}))?$/.exec(name) ?? []
  if (stem === '') throw new RangeError(`"${name}" is no name of 8.3 upper-case characters`)
  return stem.padEnd(8) + extension.padEnd(3)
}
