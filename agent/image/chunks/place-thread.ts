import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { alignedMemory } from '../../disks/direct.ts'
import { type Answered, type Endpoint, keepConnection, type KeptConnection } from './kept-connection.ts'

/** A thread that fetches chunks, unpacks them, verifies them and writes them to the disk: one after the other, each in one go, so that its bytes are
 * still in the processor's cache when they are hashed and copied. While it works on one, the kernel receives the next. */

export interface ThreadParts {
  /** What a chunk holds at most. It is told, as this program stays small by importing no more than it must. */
  chunkBytes: number
  /** Where chunks come to lie as they are stored: memory that both threads see. */
  lanes: Uint8Array[]
  /** The disk past the page cache (O_DIRECT), if it can be written so. */
  direct?: number
  buffered: number
}

/** A chunk's place on the disk. */
export interface Place {
  sha256: string
  /** Of what it holds. */
  length: number
  offset: number
}

/** Where a chunk is to be had. */
export interface Question extends Endpoint {
  path: string
  headers: Record<string, string>
}

export interface Order extends Place {
  id: number
  lane: number
  /** Stored bytes in that lane, or where to get them. */
  stored: number | Question
}

export interface Outcome {
  id: number
  /** False: these bytes aren't the chunk, and nothing was written. */
  right?: boolean
  /** What came in place of the chunk is in the lane. */
  answered?: Answered
  /** Why no answer was had. */
  missed?: string
  /** Why it could not be written. */
  because?: string
}

const { chunkBytes, lanes, direct, buffered } = workerData as ThreadParts
const aligned = alignedMemory(chunkBytes)
/** What is filled to its end is followed by another. */
const SPARE = 64

const connections = new Map<string, KeptConnection>()

function asked({ path, headers, ...endpoint }: Question, into: Uint8Array): Promise<Answered> {
  const connection = connections.get(endpoint.authority) ?? keepConnection(endpoint)
  connections.set(endpoint.authority, connection)
  return connection.get(path, headers, into)
}

function place(stored: Uint8Array, { sha256, length, offset }: Place): boolean {
  const plain = unpacked(stored, length)
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

async function carryOut({ lane, stored, ...chunk }: Order): Promise<Omit<Outcome, 'id'>> {
  const memory = lanes[lane]!
  let size = stored
  if (typeof size !== 'number') {
    try {
      const answered = await asked(size, memory)
      if (answered.status !== 200) return { answered }
      size = answered.length
    } catch (error) {
      return { missed: (error as Error).message }
    }
  }
  try {
    return { right: place(memory.subarray(0, size), chunk) }
  } catch (error) {
    return { because: (error as Error).message }
  }
}

parentPort!.on('message', (order: Order) => {
  void carryOut(order).then((outcome) => parentPort!.postMessage({ id: order.id, ...outcome } satisfies Outcome))
})
