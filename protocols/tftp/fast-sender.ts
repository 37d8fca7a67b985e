import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Arena } from '@bloomery/wire/arena.ts'
import { failed, libc } from '@bloomery/wire/libc.ts'
import type { Content } from './block-slice.ts'
import type { FastEnd, FastOrder } from './fast-transfers.ts'

const MOST_THREADS = 4
const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000

/** Sends files from a thread that is made for nothing else. Decisions stay with who starts it. */
export interface FastSender {
  /** False after the thread was lost: what it had is failed, and what comes next must go another way. */
  readonly alive: boolean
  /** Transfers under way. */
  readonly busy: number
  send(order: Omit<FastOrder, 'id'>): Promise<FastEnd>
  /** Ends what is under way. */
  stop(): Promise<void>
}

/** Of those that are there, one with the least to do. */
export function leastBusy(senders: readonly FastSender[]): FastSender | undefined {
  const alive = senders.filter((sender) => sender.alive)
  return alive.reduce<FastSender | undefined>(
    (least, next) => (least && least.busy <= next.busy ? least : next),
    undefined,
  )
}

/** One for each processor, up to four; none where the platform has not what it takes. */
export async function startFastSenders(onLost: (error: Error) => void): Promise<FastSender[]> {
  const threads = Math.min(availableParallelism(), MOST_THREADS)
  const started = await Promise.all(Array.from({ length: threads }, () => startFastSender(onLost)))
  return started.filter((sender) => sender !== undefined)
}

async function startFastSender(onLost: (error: Error) => void): Promise<FastSender | undefined> {
  const native = libc()
  if (native === undefined) return undefined
  const bell = native.eventfd(0, EFD_NONBLOCK_CLOEXEC)
  if (bell < 0) throw failed('eventfd', native.errno())
  const one = new Arena(native, 4_096)
  one.word(0, 1)
  const worker = new Worker(new URL('fast-thread.ts', import.meta.url), { workerData: { bell } })
  const waiting = new Map<number, (end: FastEnd) => void>()
  let ids = 0
  let alive = true
  const lost = (why: string): void => {
    if (!alive) return
    alive = false
    for (const [id, tell] of waiting) tell({ id, phase: 'failed', acked: 0, repeated: 0, because: why })
    waiting.clear()
    native.close(bell)
  }
  const say = (message: FastOrder | 'stop', handedOver: ArrayBuffer[] = []): void => {
    worker.postMessage(message, handedOver)
    native.write(bell, one.address, 8)
  }
  await once(worker, 'message') // it is up
  worker.on('message', (end: FastEnd) => {
    waiting.get(end.id)?.(end)
    waiting.delete(end.id)
  })
  worker.on('error', (cause) => {
    lost('the thread that sends is gone')
    onLost(new Error('the thread that sends files is gone; they go out one datagram at a time', { cause }))
  })
  worker.on('exit', () => lost('the server stops'))
  worker.unref()
  return {
    get alive() {
      return alive
    },
    get busy() {
      return waiting.size
    },
    send(order) {
      return new Promise((resolve) => {
        const id = (ids += 1)
        waiting.set(id, resolve)
        const { content, handedOver } = forThread(order.content)
        say({ ...order, content, id }, handedOver)
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

/** Shared memory goes as it is; other memory as a copy, made once. */
function forThread(content: Content): { content: Content; handedOver: ArrayBuffer[] } {
  if ('fd' in content || content.bytes.buffer instanceof SharedArrayBuffer) return { content, handedOver: [] }
  const bytes = new Uint8Array(content.bytes)
  return { content: { bytes }, handedOver: [bytes.buffer] }
}
