import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { writeAt } from '../disks/device.ts'
import { alignedMemory, openDirect } from '../disks/direct.ts'
import { MiB } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'
import { refuseUnlessRaw } from './format.ts'
import { zero } from './chunks/zero.ts'
import type { Digest } from './digest.ts'

export interface Target {
  handle: FileHandle
  name: string
  size: number
}

/** Large enough for a disk to stream, and a multiple of every sector and erase block in use. */
const block = 4 * MiB
const zeros = Buffer.alloc(block)

/** Writes bytes to a disk while they arrive and verifies them. */
export function writeVerified(
  id: string,
  bytes: AsyncIterable<Buffer>,
  target: Target,
  expected: Digest,
  written: (bytes: number) => void,
): Promise<number> {
  const hash = createHash(expected.algorithm)
  const verify = (size: number): void => {
    const actual = hash.digest('hex')
    if (actual === expected.value) return
    throw new CommandFailure(
      'ImageChecksumError',
      `image ${id} failed verification: its ${expected.algorithm} should be ${expected.value} and is ${actual} ` +
        `over ${size} bytes; nothing bootable was left on ${target.name}`,
    )
  }
  return writeWhole(id, bytes, target, { verify, seen: (chunk) => void hash.update(chunk), written })
}

export interface Writing {
  seen?(chunk: Buffer): void
  /** Throws when what was seen must not boot. */
  verify?(size: number): void
  written?(bytes: number): void
}

/** The first block, which firmware boots from, is written last of all and only when all is well: whatever stops us before leaves nothing that
 * boots. */
export async function writeWhole(
  id: string,
  bytes: AsyncIterable<Buffer>,
  target: Target,
  writing: Writing,
): Promise<number> {
  await using blocks = await BlockWriter.open(id, target)
  for await (const chunk of bytes) {
    writing.seen?.(chunk)
    await blocks.add(chunk)
    writing.written?.(blocks.received)
  }
  const first = await blocks.end()
  writing.verify?.(blocks.received)
  await target.handle.sync()
  await writeAt(target.handle, 0, first)
  await target.handle.sync()
  return blocks.received
}

/** Cuts a stream into aligned blocks and writes one while the next one fills. Blocks of zeros are not written: the disk is told of them. */
class BlockWriter implements AsyncDisposable {
  readonly #id: string
  readonly #target: Target
  readonly #direct: FileHandle | undefined
  #filling = alignedMemory(block)
  #spare = alignedMemory(block)
  #used = 0
  #offset = 0
  #first?: Buffer
  /** Zeros that end where the next block begins. */
  #hole = 0
  #writing: Promise<void> = Promise.resolve()
  received = 0

  static async open(id: string, target: Target): Promise<BlockWriter> {
    return new BlockWriter(id, target, await openDirect(target.name))
  }

  private constructor(id: string, target: Target, direct: FileHandle | undefined) {
    this.#id = id
    this.#target = target
    this.#direct = direct
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => undefined)
    await this.#direct?.close()
  }

  async add(chunk: Buffer): Promise<void> {
    this.received += chunk.length
    if (this.received > this.#target.size) throw tooLarge(this.#id, this.received, this.#target)
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.copy(this.#filling, this.#used, taken)
      taken += part
      this.#used += part
      if (this.#used === block) await this.#flush()
    }
  }

  /** Gives the first block, which has not been written. */
  async end(): Promise<Buffer> {
    if (this.#used > 0) await this.#flush()
    await this.#writing
    await this.#fillHole(this.#offset)
    return this.#first ?? Buffer.alloc(0)
  }

  async #flush(): Promise<void> {
    const full = this.#filling.subarray(0, this.#used)
    const offset = this.#offset
    this.#offset += this.#used
    this.#used = 0
    if (this.#first === undefined) {
      refuseUnlessRaw(this.#id, full)
      this.#first = full
      this.#filling = alignedMemory(block)
      return
    }
    await this.#writing
    if (full.equals(zeros.subarray(0, full.length))) {
      this.#hole += full.length
      return
    }
    this.#writing = this.#write(offset, full)
    // Awaited with the next block; until then a failure must not count as nobody's.
    this.#writing.catch(() => undefined)
    const spare = this.#spare
    this.#spare = this.#filling
    this.#filling = spare
  }

  async #write(offset: number, bytes: Buffer): Promise<void> {
    await this.#fillHole(offset)
    const disk = bytes.length === block ? (this.#direct ?? this.#target.handle) : this.#target.handle
    await writeAt(disk, offset, bytes)
  }

  async #fillHole(end: number): Promise<void> {
    const length = this.#hole
    this.#hole = 0
    if (length > 0) await zero(this.#target, end - length, length)
  }
}

export function tooLarge(id: string, size: number, { name, size: room }: Target): CommandFailure {
  return new CommandFailure('ImageWriteError', `image ${id} has ${size} bytes or more, and ${name} has only ${room}`)
}
