import { constants, open, type FileHandle } from 'node:fs/promises'

/** Opens a disk that can be written past the page cache (O_DIRECT), beside the handle that holds it for us alone: in whole pieces of a MiB and more, as
 * memory, place and length are to be multiples of a sector, however large. Undefined: this one can't. */
export function openDirect(name: string): Promise<FileHandle | undefined> {
  return open(name, constants.O_RDWR | constants.O_DIRECT).catch(() => undefined)
}

/** A buffer that may be resized is made of whole pages; others begin anywhere. */
export function alignedMemory(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }))
}
