import { Arena, IOVEC } from '@bloomery/wire/arena.ts'
import type { Libc } from '@bloomery/wire/libc.ts'
import { MAX_BLKSIZE, MAX_WINDOW } from './negotiate.ts'

const HEADER = 4
const DATA = 3 // the opcode

/** Where a transfer's bytes come from: an open file, or memory that the threads share or that was copied. */
export type Content = { fd: number } | { bytes: Uint8Array }

export interface SliceOf {
  content: Content
  size: number
  blksize: number
  blocks: number
}

/**
 * Some consecutive blocks of a file, each behind its header as it goes on the wire, one after the other: a window is one piece of
 * memory, which the kernel cuts into datagrams. As many as the largest window, so that lock-step reads the file once in a while.
 */
export class BlockSlice {
  readonly arena: Arena
  readonly #native: Libc
  #from = 0
  #to = -1

  constructor(native: Libc) {
    this.#native = native
    this.arena = new Arena(native, MAX_WINDOW * (HEADER + MAX_BLKSIZE + IOVEC))
  }

  /** Before it is another file's. */
  forget(): void {
    this.#to = -1
  }

  /** Where blocks `from` to `to` are; undefined where the file has become shorter. */
  hold(of: SliceOf, from: number, to: number): { at: number; length: number } | undefined {
    if ((from < this.#from || to > this.#to) && !this.#fill(of, from)) return undefined
    const stride = HEADER + of.blksize
    const ofLast = Math.min(of.blksize, of.size - (to - 1) * of.blksize)
    return { at: (from - this.#from) * stride, length: (to - from) * stride + HEADER + ofLast }
  }

  #fill(of: SliceOf, from: number): boolean {
    const { size, blksize, blocks, content } = of
    const stride = HEADER + blksize
    const to = Math.min(from + MAX_WINDOW - 1, blocks)
    const start = (from - 1) * blksize
    const wanted = Math.min(to * blksize, size) - start
    this.#to = -1
    for (let block = from; block <= to; block += 1) {
      const at = (block - from) * stride
      this.arena.view.setUint16(at, DATA)
      this.arena.view.setUint16(at + 2, block & 0xffff)
      const begin = (block - 1) * blksize
      const length = Math.min(blksize, size - begin)
      if ('fd' in content) this.arena.iovec(this.#vector(block - from), at + HEADER, length)
      else this.arena.bytes.set(content.bytes.subarray(begin, begin + length), at + HEADER)
    }
    if ('fd' in content && wanted > 0) {
      const vectors = this.arena.address + this.#vector(0)
      if (this.#native.preadv(content.fd, vectors, to - from + 1, start) !== wanted) return false
    }
    this.#from = from
    this.#to = to
    return true
  }

  #vector(index: number): number {
    return MAX_WINDOW * (HEADER + MAX_BLKSIZE) + index * IOVEC
  }
}
