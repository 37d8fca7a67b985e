/**
 * A small ISO 9660 (ECMA-119) volume with a Joliet tree, so that Linux, Windows and firmware show the names as given.
 * Equal input gives equal bytes: every date is the same constant, and equal contents share one extent.
 */
export type IsoFile = { path: string; content: Uint8Array }
/** A file whose bytes somebody else has. */
export type AbsentFile = { path: string; content: { size: number } }

export interface IsoLayout {
  /** Everything before the first file. */
  head: Uint8Array
  /** In order of their place; from the end of one to the next, and to the end of the volume, there are zeros. */
  files: { path: string; at: number; size: number }[]
  size: number
}

export const sector = 2048
const descriptors = 16
const largestVolume = 64 << 20
/** ECMA-119 §9.1.5: years since 1900, month, day, hour, minute, second, zone. */
const date = Uint8Array.of(80, 1, 1, 0, 0, 0, 0)
/** ECMA-119 §6.8.2.1, with the root as first level. */
const deepest = 8

type Directory = { name: string; parent?: Directory; directories: Directory[]; files: Named[] }
type Named = { name: string; extent: Extent }
type Extent = { path: string; content: IsoFile['content'] | AbsentFile['content']; at: number; size: number }
/** One of the two trees over the same files: how it writes names, and where its directories went. */
type Tree = { encode: (name: string, file: boolean) => Uint8Array; order: Directory[]; places: Map<Directory, Place> }
type Place = { at: number; size: number }

export function writeIso(label: string, files: readonly IsoFile[]): Uint8Array {
  const { layout, extents } = layOutVolume(label, files, [])
  if (layout.size > largestVolume)
    throw new RangeError(`the volume would be ${layout.size} bytes, more than ${largestVolume}`)
  const volume = Buffer.alloc(layout.size)
  volume.set(layout.head)
  for (const { content, at } of extents) if (content instanceof Uint8Array) volume.set(content, at * sector)
  return volume
}

/** The same for files that need not be at hand. `boot`: a descriptor that stands behind the primary one (El Torito's place), once it is
 * known where the files are. */
export function layOutIso(
  label: string,
  files: readonly (IsoFile | AbsentFile)[],
  boot?: (places: IsoLayout['files']) => Uint8Array,
): IsoLayout {
  return layOutVolume(label, files, boot ? [boot] : []).layout
}

function layOutVolume(
  label: string,
  files: readonly (IsoFile | AbsentFile)[],
  boot: readonly ((places: IsoLayout['files']) => Uint8Array)[],
): { layout: IsoLayout; extents: Extent[] } {
  if (!/^[A-Za-z0-9_-]{1,16}$/.test(label))
    throw new RangeError(`volume label "${label}" must be 1 to 16 plain characters`)
  const extents: Extent[] = []
  const root = directoryTree(files, extents)
  const trees = [encodePlain, encodeJoliet].map((encode): Tree => ({
    encode,
    order: walk(root, encode),
    places: new Map(),
  }))
  const firstPathTable = descriptors + boot.length + trees.length + 1
  let next = firstPathTable + 2 * trees.length
  for (const tree of trees) {
    for (const directory of tree.order) {
      const size = roundUp(layOut(recordSizes(tree, directory)).end)
      tree.places.set(directory, { at: next, size })
      next += size / sector
    }
  }
  const headSectors = next
  for (const extent of extents) {
    extent.at = next
    next += roundUp(extent.size) / sector
  }
  if (next > 0xffffffff) throw new RangeError(`the volume would have ${next} sectors`)
  const places = extents.map(({ path, at, size }) => ({ path, at: at * sector, size }))
  const bootRecords = boot.map((make) => make(places))
  const head = write({ label, trees, sectors: next, headSectors, firstPathTable, bootRecords })
  return { layout: { head, files: places, size: next * sector }, extents }
}

function directoryTree(files: readonly (IsoFile | AbsentFile)[], extents: Extent[]): Directory {
  const root: Directory = { name: '', directories: [], files: [] }
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  for (const { path, content } of sorted) {
    const names = path.split('/')
    if (names.length > deepest || names.some((name) => !/^\.?[A-Za-z0-9_-][A-Za-z0-9._-]{0,28}$/.test(name)))
      throw new RangeError(`path "${path}" must be at most ${deepest} names of at most 30 plain characters`)
    const name = names.pop() ?? ''
    const directory = names.reduce(enter, root)
    if (directory.files.some((file) => file.name === name)) throw new RangeError(`path "${path}" is given twice`)
    directory.files.push({ name, extent: extentOf(path, content, extents) })
  }
  return root
}

function enter(parent: Directory, name: string): Directory {
  const known = parent.directories.find((directory) => directory.name === name)
  if (known) return known
  const made: Directory = { name, parent, directories: [], files: [] }
  parent.directories.push(made)
  return made
}

function extentOf(path: string, content: Extent['content'], extents: Extent[]): Extent {
  const known = extents.find((extent) => same(extent.content, content))
  if (known) return known
  const made = { path, content, at: 0, size: content instanceof Uint8Array ? content.length : content.size }
  extents.push(made)
  return made
}

function same(one: Extent['content'], other: Extent['content']): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0
}

/** ECMA-119 §6.9.1: by level, then by the parent's number, then by name; path tables and directories go in this order. */
function walk(root: Directory, encode: Tree['encode']): Directory[] {
  const order = [root]
  for (const directory of order) {
    const names = (one: Directory) => encode(one.name, false)
    order.push(...[...directory.directories].sort((a, b) => Buffer.compare(names(a), names(b))))
  }
  return order
}

/** ECMA-119 §7.5, interchange level 2: upper case, digits, underscores, one dot. */
function encodePlain(name: string, file: boolean): Uint8Array {
  const [stem = '', ...rest] = name.toUpperCase().replaceAll('-', '_').split('.')
  const extension = rest.join('_')
  if (!file) return Buffer.from(extension ? `${stem}_${extension}` : stem)
  return Buffer.from(`${stem}.${extension};1`)
}

/** Joliet: the name itself, two bytes a character, the high one first. */
function encodeJoliet(name: string, file: boolean): Uint8Array {
  return Buffer.from(file ? `${name};1` : name, 'utf16le').swap16()
}

type Item = { identifier: Uint8Array; at: number; size: number; directory: boolean }

/** A directory's records in order: itself, its parent, then everything by name (ECMA-119 §9.3). */
function items(tree: Tree, directory: Directory): Item[] {
  const place = (one: Directory) => ({ ...(tree.places.get(one) ?? { at: 0, size: 0 }), directory: true })
  const inside = [
    ...directory.directories.map((one) => ({ identifier: tree.encode(one.name, false), ...place(one) })),
    ...directory.files.map(({ name, extent }) => {
      return { identifier: tree.encode(name, true), at: extent.at, size: extent.size, directory: false }
    }),
  ].sort((a, b) => Buffer.compare(a.identifier, b.identifier))
  const clash = inside.find(
    (item, index) => index > 0 && Buffer.compare(item.identifier, inside[index - 1]!.identifier) === 0,
  )
  if (clash) throw new RangeError(`two names of directory "${directory.name}" differ only in letter case or dashes`)
  return [
    { identifier: Uint8Array.of(0), ...place(directory) },
    { identifier: Uint8Array.of(1), ...place(directory.parent ?? directory) },
    ...inside,
  ]
}

function recordSizes(tree: Tree, directory: Directory): number[] {
  return items(tree, directory).map((item) => recordSize(item.identifier))
}

function recordSize(identifier: Uint8Array): number {
  return 33 + identifier.length + ((identifier.length + 1) % 2)
}

/** No record crosses a sector (ECMA-119 §6.8.1.1). */
function layOut(sizes: readonly number[]): { offsets: number[]; end: number } {
  let end = 0
  const offsets = sizes.map((size) => {
    if ((end % sector) + size > sector) end = roundUp(end)
    end += size
    return end - size
  })
  return { offsets, end }
}

interface Head {
  label: string
  trees: readonly Tree[]
  sectors: number
  headSectors: number
  firstPathTable: number
  bootRecords: readonly Uint8Array[]
}

function write({ label, trees, sectors, headSectors, firstPathTable, bootRecords }: Head): Uint8Array {
  const volume = Buffer.alloc(headSectors * sector)
  for (const [index, tree] of trees.entries()) {
    const tables = firstPathTable + 2 * index
    const little = pathTable(tree, 'little')
    volume.set(little, tables * sector)
    volume.set(pathTable(tree, 'big'), (tables + 1) * sector)
    const joliet = index === 1
    volume.set(
      descriptor({ label, joliet, sectors, tables, tableSize: little.length, root: tree }),
      (descriptors + index + (joliet ? bootRecords.length : 0)) * sector,
    )
    for (const directory of tree.order) volume.set(records(tree, directory), tree.places.get(directory)!.at * sector)
  }
  for (const [index, bytes] of bootRecords.entries()) volume.set(bytes, (descriptors + 1 + index) * sector)
  volume.set(Buffer.from('\xffCD001\x01', 'latin1'), (firstPathTable - 1) * sector)
  return volume
}

function records(tree: Tree, directory: Directory): Uint8Array {
  const all = items(tree, directory)
  const { offsets, end } = layOut(all.map((item) => recordSize(item.identifier)))
  const bytes = Buffer.alloc(roundUp(end))
  for (const [index, item] of all.entries()) bytes.set(record(item), offsets[index])
  return bytes
}

/** ECMA-119 §9.1. */
function record({ identifier, at, size, directory }: Item): Uint8Array {
  const bytes = Buffer.alloc(recordSize(identifier))
  bytes[0] = bytes.length
  both32(bytes, 2, at)
  both32(bytes, 10, size)
  bytes.set(date, 18)
  bytes[25] = directory ? 2 : 0
  both16(bytes, 28, 1)
  bytes[32] = identifier.length
  bytes.set(identifier, 33)
  return bytes
}

/** ECMA-119 §9.4: one entry a directory, in each byte order. */
function pathTable(tree: Tree, order: 'little' | 'big'): Uint8Array {
  const numbers = new Map(tree.order.map((directory, index) => [directory, index + 1]))
  const entries = tree.order.map((directory) => {
    const identifier = directory.parent ? tree.encode(directory.name, false) : Uint8Array.of(0)
    const bytes = Buffer.alloc(8 + identifier.length + (identifier.length % 2))
    const at = tree.places.get(directory)!.at
    const parent = numbers.get(directory.parent ?? directory)!
    bytes[0] = identifier.length
    if (order === 'little') bytes.writeUInt16LE(parent, bytes.writeUInt32LE(at, 2))
    else bytes.writeUInt16BE(parent, bytes.writeUInt32BE(at, 2))
    bytes.set(identifier, 8)
    return bytes
  })
  const table = Buffer.concat(entries)
  if (table.length > sector) throw new RangeError(`${tree.order.length} directories do not fit the path table`)
  return table
}

type Descriptor = { label: string; joliet: boolean; sectors: number; tables: number; tableSize: number; root: Tree }

/** ECMA-119 §8.4 (primary) and §8.5 (supplementary; "%/E" says Joliet's UCS-2 level 3). */
function descriptor({ label, joliet, sectors, tables, tableSize, root }: Descriptor): Uint8Array {
  const bytes = Buffer.alloc(sector)
  const text = (value: string, at: number, size: number) => {
    if (joliet) bytes.set(Buffer.from(value.padEnd(size >> 1).slice(0, size >> 1), 'utf16le').swap16(), at)
    else bytes.write(value.padEnd(size), at, size, 'latin1')
  }
  bytes.write(joliet ? '\x02CD001\x01' : '\x01CD001\x01', 0, 'latin1')
  text('', 8, 32)
  text(label, 40, 32)
  both32(bytes, 80, sectors)
  if (joliet) bytes.write('%/E', 88, 'latin1')
  both16(bytes, 120, 1)
  both16(bytes, 124, 1)
  both16(bytes, 128, sector)
  both32(bytes, 132, tableSize)
  bytes.writeUInt32LE(tables, 140)
  bytes.writeUInt32BE(tables + 1, 148)
  bytes.set(record({ identifier: Uint8Array.of(0), ...root.places.get(root.order[0]!)!, directory: true }), 156)
  text('', 190, 623)
  // Creation, modification, expiration and effective date: not specified (§8.4.26.1).
  for (let at = 813; at < 881; at += 17) bytes.write('0'.repeat(16), at, 'latin1')
  bytes[881] = 1
  return bytes
}

function both16(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt16BE(value, bytes.writeUInt16LE(value, at))
}

function both32(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(value, bytes.writeUInt32LE(value, at))
}

function roundUp(size: number): number {
  return Math.ceil(size / sector) * sector
}
