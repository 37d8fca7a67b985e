import { ImageError } from './error.ts'

/** What the reader needs of a qcow2 header (QEMU's docs/interop/qcow2, "Header"). Sizes and offsets in bytes. */
export interface Qcow2Header {
  version: 2 | 3
  clusterBits: number
  virtualSize: number
  l1Offset: number
  /** Entries. */
  l1Length: number
  compression: 'deflate' | 'zstd'
}

/** All of the header that this reader looks at. */
export const HEADER_BYTES = 112

const MAGIC = 0x51_46_49_fb
/** QEMU's own bound: 32 MiB of 8-byte entries. */
const LARGEST_L1 = 4 * 1024 * 1024
const feature = { dirty: 0x01n, corrupt: 0x02n, externalData: 0x04n, compressionType: 0x08n, extendedL2: 0x10n }

export function isQcow2(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === MAGIC
}

/** Throws ImageError for what isn't qcow2, can't be read alone (backing or data file, encryption), or has no sense. */
export function parseHeader(head: Buffer): Qcow2Header {
  if (!isQcow2(head)) throw new ImageError('it is not a qcow2 image')
  if (head.length < 72) throw new ImageError('it ends within its header')
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw new ImageError(`it is qcow2 of version ${version}; 2 and 3 can be read`)
  if (head.readBigUInt64BE(8) !== 0n)
    throw new ImageError('it refers to another file for its contents (backing file); flatten it: qemu-img convert')
  if (head.readUInt32BE(32) !== 0) throw new ImageError('it is encrypted')
  const clusterBits = head.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21)
    throw new ImageError(`its clusters of 2^${clusterBits} bytes are out of range`)
  const virtualSize = whole(head.readBigUInt64BE(24), 'virtual size')
  const l1Length = head.readUInt32BE(36)
  const l1Offset = whole(head.readBigUInt64BE(40), 'place of the L1 table')
  const covered = 2 ** (clusterBits + clusterBits - 3)
  if (l1Length > LARGEST_L1 || l1Length < Math.ceil(virtualSize / covered))
    throw new ImageError(`its L1 table of ${l1Length} entries does not fit ${virtualSize} bytes`)
  return {
    version,
    clusterBits,
    virtualSize,
    l1Offset,
    l1Length,
    compression: version === 3 ? compressionOf(head) : 'deflate',
  }
}

function compressionOf(head: Buffer): Qcow2Header['compression'] {
  if (head.length < 104) throw new ImageError('it ends within its header')
  const incompatible = head.readBigUInt64BE(72)
  if (incompatible & feature.externalData)
    throw new ImageError('it refers to another file for its contents (data file); flatten it: qemu-img convert')
  if (incompatible & feature.corrupt) throw new ImageError('it is marked corrupt: see qemu-img check')
  if (incompatible & feature.extendedL2)
    throw new ImageError('it has extended L2 entries: qemu-img convert -o extended_l2=off')
  const known = feature.dirty | feature.compressionType
  if (incompatible & ~known) throw new ImageError(`it needs features (0x${incompatible.toString(16)}) unknown here`)
  if (!(incompatible & feature.compressionType)) return 'deflate'
  const type = head.length > 104 ? head.readUInt8(104) : 0
  if (type > 1) throw new ImageError(`its compression ${type} is unknown`)
  return type === 1 ? 'zstd' : 'deflate'
}

function whole(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ImageError(`its ${what} is out of range`)
  return Number(value)
}
