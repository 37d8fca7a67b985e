import { ImageError } from './error.ts'
import type { Qcow2Header } from './qcow2-header.ts'

/** Where the contents of one cluster are (QEMU's docs/interop/qcow2, "Cluster mapping"). `length` of a compressed one is an upper bound. */
export type Cluster =
  | { kind: 'zero' }
  | { kind: 'plain'; offset: number }
  | { kind: 'compressed'; offset: number; length: number }

const COMPRESSED = 1n << 62n
const OFFSET = 0x00ff_ffff_ffff_fe00n
const ZERO: Cluster = { kind: 'zero' }

/** The L2 table that an L1 entry points to, or undefined: nothing is stored there. */
export function l2TableOf(entry: bigint, { clusterBits }: Qcow2Header): number | undefined {
  const offset = entry & OFFSET
  if (offset === 0n) return undefined
  return aligned(offset, clusterBits, 'an L2 table')
}

export function clusterOf(entry: bigint, { version, clusterBits }: Qcow2Header): Cluster {
  if (entry & COMPRESSED) {
    // The fewer bits the count of sectors needs, the more are left for the offset.
    const offsetBits = BigInt(62 - (clusterBits - 8))
    const offset = safe(entry & ((1n << offsetBits) - 1n))
    const sectors = Number((entry & (COMPRESSED - 1n)) >> offsetBits)
    return { kind: 'compressed', offset, length: (sectors + 1) * 512 - (offset % 512) }
  }
  if (version === 3 && entry & 1n) return ZERO
  const offset = entry & OFFSET
  return offset === 0n ? ZERO : { kind: 'plain', offset: aligned(offset, clusterBits, 'a cluster') }
}

function aligned(offset: bigint, clusterBits: number, what: string): number {
  if (offset & ((1n << BigInt(clusterBits)) - 1n)) throw new ImageError(`${what} is not where clusters begin`)
  return safe(offset)
}

function safe(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new ImageError(`it points to byte ${offset}`)
  return Number(offset)
}
