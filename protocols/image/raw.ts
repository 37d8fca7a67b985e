import type { Disk } from './qcow2.ts'
import type { RandomAccess } from './random-access.ts'

const PIECE = 1024 * 1024

/** A file whose bytes are those of the disk. */
export function openRaw(source: RandomAccess): Disk {
  return {
    size: source.size,
    async *pieces() {
      for (let offset = 0; offset < source.size; offset += PIECE) {
        const data = await source.read(offset, PIECE)
        if (data.length > 0) yield { offset, length: data.length, data }
      }
    },
  }
}
