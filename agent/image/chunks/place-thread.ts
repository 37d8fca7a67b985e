import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { alignedMemory } from '../../disks/direct.ts'

/** A thread that unpacks chunks, verifies them and writes them to the disk: one after the other, each in one go, so that its bytes are still in
 * the processor's cache when they are hashed and copied. */

export interface ThreadParts {
  /** What a chunk holds at most. It is told, as this program stays small by importing no more than it must. */
  chunkBytes: number
  /** Where chunks come to lie as they are stored: memory that both threads see. */
  lanes: Uint8Array[]
  /** The disk past the page cache (O_DIRECT), if it can be written so. */
  direct?: number
  buffered: number
}

export interface Order {
  id: number
  lane: number
  /** Stored bytes in that lane. */
  stored: number
  sha256: string
  /** Of what it holds. */
  length: number
  offset: number
}

export interface Outcome {
  id: number
  /** False: these bytes aren't the chunk, and nothing was written. */
  right?: boolean
  /** Why it could not be written. */
  because?: string
}

const { chunkBytes, lanes, direct, buffered } = workerData as ThreadParts
const aligned = alignedMemory(chunkBytes)
/** What is filled to its end is followed by another. */
const SPARE = 64

function place({ lane, stored, sha256, length, offset }: Order): boolean {
  const plain = unpacked(lanes[lane]!.subarray(0, stored), length)
  if (plain === undefined) return false
  try {
    if (plain.length !== length || hash('sha256', plain) !== sha256) return false
    if (direct === undefined || length < chunkBytes) write(buffered, plain, offset)
    else {
      aligned.set(plain)
      write(direct, aligned, offset)
    }
    return true
  } finally {
    // Given back at once, as the collector would let a hundred of them pile up. Small ones may lie in memory that others share.
    if (plain.length === chunkBytes) plain.buffer.transfer(0)
  }
}

function unpacked(stored: Uint8Array, length: number): Buffer<ArrayBuffer> | undefined {
  try {
    // In one piece: by default there would be 64, and a copy of all.
    return zstdDecompressSync(stored, { maxOutputLength: length, chunkSize: length + SPARE }) as Buffer<ArrayBuffer>
  } catch {
    return undefined
  }
}

function write(disk: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(disk, bytes, done, bytes.length - done, offset + done)
}

parentPort!.on('message', (order: Order) => {
  const outcome: Outcome = { id: order.id }
  try {
    outcome.right = place(order)
  } catch (error) {
    outcome.because = (error as Error).message
  }
  parentPort!.postMessage(outcome)
})
