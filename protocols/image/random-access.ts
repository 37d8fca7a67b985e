import type { FileHandle } from 'node:fs/promises'

/** Bytes that can be read at any place: a file, or an object with ranges. */
export interface RandomAccess {
  /** Bytes. */
  size: number
  /** Exactly `length` bytes from `position`; fewer only where the source ends. */
  read(position: number, length: number): Promise<Buffer>
}

export async function fileAccess(file: FileHandle): Promise<RandomAccess> {
  const { size } = await file.stat()
  return {
    size,
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)))
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
        if (bytesRead === 0) return buffer.subarray(0, filled)
        filled += bytesRead
      }
      return buffer
    },
  }
}
