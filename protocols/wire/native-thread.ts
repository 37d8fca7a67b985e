import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Arena } from './arena.ts'
import { failed, libc, type Libc } from './libc.ts'
import type { Place, ToThread } from './native-engine.ts'

const MOST_THREADS = 4
const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000

/** A thread that is made for one kind of work with system calls, and does many of its orders at once. */
export interface NativeThread<Order extends { id: number }, End extends { id: number }> {
  /** False after the thread was lost: what it had has failed, and what comes next must go another way. */
  readonly alive: boolean
  /** Orders under way. */
  readonly busy: number
  /** Rejects where the thread was lost. */
  carryOut(order: Omit<Order, 'id'>, signal?: AbortSignal): Promise<End>
  /** Ends what is under way. */
  stop(): Promise<void>
}

/** One for each processor, up to four; none where the platform has not what it takes. */
export async function startNativeThreads<Order extends { id: number }, End extends { id: number }>(
  entry: URL,
  onLost: (error: Error) => void,
): Promise<NativeThread<Order, End>[]> {
  const native = libc()
  if (native === undefined) return []
  const threads = Math.min(availableParallelism(), MOST_THREADS)
  const busy = new Int32Array(new SharedArrayBuffer(4 * threads))
  return Promise.all(
    Array.from({ length: threads }, (_, thread) => startThread<Order, End>(native, entry, { thread, busy }, onLost)),
  )
}

/** Of those that are there, one with the least to do. */
export function leastBusy<Thread extends { alive: boolean; busy: number }>(
  threads: readonly Thread[],
): Thread | undefined {
  const alive = threads.filter((thread) => thread.alive)
  return alive.reduce<Thread | undefined>((least, next) => (least && least.busy <= next.busy ? least : next), undefined)
}

async function startThread<Order extends { id: number }, End extends { id: number }>(
  native: Libc,
  entry: URL,
  place: Place,
  onLost: (error: Error) => void,
): Promise<NativeThread<Order, End>> {
  const bell = native.eventfd(0, EFD_NONBLOCK_CLOEXEC)
  if (bell < 0) throw failed('eventfd', native.errno())
  const one = new Arena(native, 4_096)
  one.word(0, 1)
  const worker = new Worker(entry, { workerData: { bell, place } })
  const waiting = new Map<number, { resolve: (end: End) => void; reject: (error: Error) => void }>()
  let ids = 0
  let alive = true
  const lost = (error: Error): void => {
    if (!alive) return
    alive = false
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    native.close(bell)
  }
  const say = (message: ToThread<unknown>): void => {
    worker.postMessage(message)
    native.write(bell, one.address, 8)
  }
  worker.on('error', (cause) => {
    lost(new Error('the thread that sends is gone', { cause }))
    onLost(new Error(`the thread ${entry.pathname} is gone; its work is done in slower ways`, { cause }))
  })
  worker.on('exit', () => lost(new Error('the thread that sends has stopped')))
  await once(worker, 'message') // it is up
  worker.unref()
  worker.on('message', (end: End) => {
    waiting.get(end.id)?.resolve(end)
    waiting.delete(end.id)
  })
  return {
    get alive() {
      return alive
    },
    get busy() {
      return waiting.size
    },
    carryOut(order, signal) {
      return new Promise((resolve, reject) => {
        if (!alive) return reject(new Error('the thread that sends is gone'))
        const id = (ids += 1)
        waiting.set(id, { resolve, reject })
        say({ order: { ...order, id } })
        const cancel = (): void => {
          if (alive && waiting.has(id)) say({ cancel: id })
        }
        if (signal?.aborted) cancel()
        else signal?.addEventListener('abort', cancel, { once: true })
      })
    },
    async stop() {
      if (!alive) return
      const exit = once(worker, 'exit')
      say('stop')
      await exit
    },
  }
}
