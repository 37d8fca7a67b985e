import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { CHUNK_BYTES, LARGEST_STORED_CHUNK } from '../../../contract/images/manifest.ts'
import { openDirect } from '../../disks/direct.ts'
import { CommandFailure } from '../../failure.ts'
import type { Target } from '../write.ts'
import type { Order, Outcome, ThreadParts } from './place-thread.ts'

/** Threads that fetch, unpack, verify and write chunks. */
export interface Placers extends AsyncDisposable {
  /** Memory for a chunk as it is stored, which is not to change while it is being placed. */
  lanes: Uint8Array[]
  place(chunk: Omit<Order, 'id'>): Promise<Placed>
}

export type Placed = Omit<Outcome, 'id' | 'because'>

/** In the bundle, which is one file, the thread's program as text. */
declare const PLACE_THREAD: string | undefined
const program =
  typeof PLACE_THREAD === 'string'
    ? new URL(`data:text/javascript,${encodeURIComponent(PLACE_THREAD)}`)
    : new URL('./place-thread.ts', import.meta.url)

/** Threads wait for the disk too, so that there are more than cores where those are few; eight outrun any network card. */
const FEWEST = 4
const MOST = 8
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 }

interface Waiting {
  resolve(placed: Placed): void
  reject(error: Error): void
}

export async function startPlacers(id: string, target: Target, atOnce: number): Promise<Placers> {
  const lanes = Array.from({ length: atOnce }, () => new Uint8Array(new SharedArrayBuffer(LARGEST_STORED_CHUNK)))
  const direct = await openDirect(target.name)
  const parts: ThreadParts = { chunkBytes: CHUNK_BYTES, lanes, direct: direct?.fd, buffered: target.handle.fd }
  const count = Math.min(MOST, Math.max(FEWEST, availableParallelism()))
  const threads = Array.from({ length: count }, () => startThread(id, target.name, parts))
  return {
    lanes,
    place: (chunk) => threads.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a)).place(chunk),
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()))
      await direct?.close()
    },
  }
}

function startThread(image: string, disk: string, workerData: ThreadParts) {
  const worker = new Worker(program, { workerData, resourceLimits: HEAP })
  const waiting = new Map<number, Waiting>()
  let orders = 0
  let lost: Error | undefined
  const failure = (why: string): CommandFailure =>
    new CommandFailure('ImageWriteError', `image ${image} can't be written to ${disk}: ${why}`)
  worker.on('message', ({ id, because, ...placed }: Outcome) => {
    const caller = waiting.get(id)
    waiting.delete(id)
    if (because === undefined) caller?.resolve(placed)
    else caller?.reject(failure(because))
  })
  const end = (why: string): void => {
    lost ??= failure(why)
    for (const { reject } of waiting.values()) reject(lost)
    waiting.clear()
  }
  worker.on('error', (error: Error) => end(`a thread failed: ${error.message}`))
  worker.on('exit', () => end('a thread ended'))
  return {
    worker,
    waiting,
    place: (chunk: Omit<Order, 'id'>) =>
      new Promise<Placed>((resolve, reject) => {
        if (lost) return reject(lost)
        const id = (orders += 1)
        waiting.set(id, { resolve, reject })
        return worker.postMessage({ id, ...chunk })
      }),
  }
}
