import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { CHUNK_BYTES } from '../../../contract/images/manifest.ts'

/** A thread that unpacks chunks, verifies them and writes them to the disk: one after the other, each in one go, so that its bytes are still in
 * the processor's cache when they are hashed and copied. */

export interface Disks {
  /** Past the page cache (O_DIRECT), where the disk can. */
  direct?: number
  buffered: number
}

export interface Order {
  id: number
  /** As it came, in memory that both threads see. */
  stored: Uint8Array
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

/** O_DIRECT wants memory, place and length that are multiples of a sector; the largest sectors have 4096 bytes. */
const ALIGNED = 4096
/** A buffer that may be resized is made of whole pages; others begin anywhere. */
const aligned = new Uint8Array(new ArrayBuffer(CHUNK_BYTES, { maxByteLength: CHUNK_BYTES }))
const { direct, buffered } = workerData as Disks

function place({ stored, sha256, length, offset }: Order): boolean {
  const plain = unpacked(stored, length)
  if (plain?.length !== length || hash('sha256', plain) !== sha256) return false
  if (direct === undefined || length % ALIGNED !== 0) write(buffered, plain, offset)
  else {
    aligned.set(plain)
    write(direct, aligned.subarray(0, length), offset)
  }
  return true
}

function unpacked(stored: Uint8Array, length: number): Buffer | undefined {
  try {
    // One piece: by default there would be 64, and a copy of all.
    return zstdDecompressSync(stored, { maxOutputLength: length, chunkSize: length })
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
