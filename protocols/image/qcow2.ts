import { promisify } from 'node:util'
import { inflateRaw, zstdDecompress } from 'node:zlib'
import { ImageError } from './error.ts'
import { clusterOf, l2TableOf, type Cluster } from './qcow2-cluster.ts'
import { HEADER_BYTES, parseHeader, type Qcow2Header } from './qcow2-header.ts'
import type { RandomAccess } from './random-access.ts'
import { zstdFrameLength } from './zstd-frame.ts'

/** A piece of a disk's contents. Without `data` it is zeros. */
export interface Piece {
  offset: number
  length: number
  data?: Buffer
}

export interface Disk {
  /** Of the disk, in bytes. */
  size: number
  /** All of it, in order and without gaps; neither empty nor longer than PIECE, but for zeros. */
  pieces(): AsyncGenerator<Piece>
}

const PIECE = 1024 * 1024
const AHEAD = 8
const inflate = promisify(inflateRaw)
const unzstd = promisify(zstdDecompress)

/** Reads a qcow2 image of version 2 or 3 without a backing file. Memory is bounded by the L1 table (32 MiB at most) and a few pieces, whatever the image says of itself.
 * Throws ImageError, at once or while it is read. */
export async function openQcow2(source: RandomAccess): Promise<Disk> {
  const header = parseHeader(await source.read(0, HEADER_BYTES))
  const l1 = await source.read(header.l1Offset, header.l1Length * 8)
  if (l1.length < header.l1Length * 8) throw new ImageError('it ends within its L1 table')
  return { size: header.virtualSize, pieces: () => loaded(places(source, header, l1), source, header) }
}

type Place = { offset: number; length: number; run?: Run }

/** Unpacks some pieces at once: the cores share the work, and the order stays. */
async function* loaded(all: AsyncGenerator<Place>, source: RandomAccess, header: Qcow2Header): AsyncGenerator<Piece> {
  const ahead: Array<Promise<Piece>> = []
  for await (const { offset, length, run } of all) {
    const data = run && contents(source, run, header).then((whole) => whole.subarray(0, length))
    const piece = data ? data.then((bytes) => ({ offset, length, data: bytes })) : Promise.resolve({ offset, length })
    // It is awaited in its turn; until then a failure is nobody's.
    piece.catch(() => {})
    ahead.push(piece)
    if (ahead.length > AHEAD) yield await ahead.shift()!
  }
  for (const piece of ahead) yield await piece
}

async function* places(source: RandomAccess, header: Qcow2Header, l1: Buffer): AsyncGenerator<Place> {
  const clusterSize = 2 ** header.clusterBits
  const covered = (clusterSize / 8) * clusterSize
  let zeros = { offset: 0, length: 0 }
  for (let offset = 0, index = 0; offset < header.virtualSize; offset += covered, index += 1) {
    const length = Math.min(covered, header.virtualSize - offset)
    const table = l2TableOf(l1.readBigUInt64BE(index * 8), header)
    if (table === undefined) {
      zeros = extended(zeros, offset, length)
      continue
    }
    const l2 = await source.read(table, clusterSize)
    if (l2.length < clusterSize) throw new ImageError('it ends within an L2 table')
    for (const run of runs(l2, Math.ceil(length / clusterSize), header)) {
      const at = offset + run.first * clusterSize
      const bytes = Math.min(run.count * clusterSize, offset + length - at)
      if (run.cluster.kind === 'zero') {
        zeros = extended(zeros, at, bytes)
        continue
      }
      if (zeros.length > 0) yield zeros
      zeros = { offset: 0, length: 0 }
      yield { offset: at, length: bytes, run }
    }
  }
  if (zeros.length > 0) yield zeros
}

function extended(zeros: { offset: number; length: number }, offset: number, length: number) {
  return zeros.length > 0 ? { offset: zeros.offset, length: zeros.length + length } : { offset, length }
}

interface Run {
  first: number
  count: number
  cluster: Cluster
}

/** Neighbours that are zeros, or that lie one after the other in the file, are one run. */
function* runs(l2: Buffer, count: number, header: Qcow2Header): Generator<Run> {
  const clusterSize = 2 ** header.clusterBits
  let run: Run | undefined
  for (let index = 0; index < count; index += 1) {
    const cluster = clusterOf(l2.readBigUInt64BE(index * 8), header)
    if (run && joins(run, cluster, clusterSize)) {
      run.count += 1
      continue
    }
    if (run) yield run
    run = { first: index, count: 1, cluster }
  }
  if (run) yield run
}

function joins({ cluster, count }: Run, next: Cluster, clusterSize: number): boolean {
  if (cluster.kind === 'zero') return next.kind === 'zero'
  if (cluster.kind === 'compressed' || next.kind !== 'plain') return false
  return next.offset === cluster.offset + count * clusterSize && (count + 1) * clusterSize <= PIECE
}

async function contents(source: RandomAccess, { cluster, count }: Run, header: Qcow2Header): Promise<Buffer> {
  const clusterSize = 2 ** header.clusterBits
  if (cluster.kind === 'compressed') return decompressed(source, cluster, header)
  if (cluster.kind === 'zero') return Buffer.alloc(count * clusterSize)
  const data = await source.read(cluster.offset, count * clusterSize)
  // QEMU leaves the last cluster of a file short; what is missing of it is zeros.
  if (data.length <= (count - 1) * clusterSize) throw new ImageError('it ends before its contents')
  return data.length === count * clusterSize ? data : Buffer.concat([data], count * clusterSize)
}

/** Of what is read, only the compressed stream counts: sectors are whole, streams are not (raw deflate, RFC 1951; or zstd, RFC 8878). */
async function decompressed(
  source: RandomAccess,
  { offset, length }: { offset: number; length: number },
  { clusterBits, compression }: Qcow2Header,
): Promise<Buffer> {
  const clusterSize = 2 ** clusterBits
  // By default it would come in pieces of 16 KiB, each a turn of its own; what is filled to its end is followed by another.
  const inOnePiece = { maxOutputLength: clusterSize, chunkSize: clusterSize + 64 }
  const stored = await source.read(offset, length)
  try {
    const data =
      compression === 'zstd'
        ? await unzstd(stored.subarray(0, zstdFrameLength(stored)), inOnePiece)
        : await inflate(stored, inOnePiece)
    if (data.length === clusterSize) return data
    throw new ImageError(`a compressed cluster holds ${data.length} bytes instead of ${clusterSize}`)
  } catch (cause) {
    if (cause instanceof ImageError) throw cause
    throw new ImageError('a compressed cluster cannot be unpacked', { cause })
  }
}
