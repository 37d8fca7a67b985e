import type { Disk } from './qcow2.ts'
import type { RandomAccess } from './random-access.ts'

/** Of a disk, what is looked through for its table and its loaders. */
const HEAD = 4 * 1024 * 1024

/** The beginning of a disk that can only be read from its beginning. */
export async function headOf(disk: Disk): Promise<RandomAccess> {
  const head = Buffer.alloc(Math.min(HEAD, disk.size))
  for await (const { offset, length, data } of disk.pieces()) {
    if (offset >= head.length) break
    data?.copy(head, offset, 0, Math.min(length, head.length - offset))
  }
  return {
    size: disk.size,
    read: (position, length) => Promise.resolve(head.subarray(position, position + length)),
  }
}
