import { constants, open, type FileHandle } from 'node:fs/promises'

/** Past the page cache (O_DIRECT), memory, place and length are to be multiples of a sector; the largest sectors have 4096 bytes. */
export const ALIGNED = 4096

/** Opens a disk that can be written past the page cache, beside the handle that holds it for us alone. Undefined: this one can't. */
export function openDirect(name: string): Promise<FileHandle | undefined> {
  return open(name, constants.O_RDWR | constants.O_DIRECT).catch(() => undefined)
}

/** A buffer that may be resized is made of whole pages; others begin anywhere. */
export function alignedMemory(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }))
}
