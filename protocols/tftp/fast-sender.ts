import { leastBusy, startNativeThreads } from '@bloomery/wire/native-thread.ts'
import type { Content } from './block-slice.ts'
import type { FastEnd, FastOrder } from './fast-transfers.ts'

/** Sends files from threads that are made for nothing else. Decisions stay with who starts it. */
export interface FastSender {
  /** False where the platform has not what it takes, or where all threads were lost: files must go another way. */
  readonly alive: boolean
  send(order: Omit<FastOrder, 'id'>): Promise<Omit<FastEnd, 'id'>>
  /** Ends what is under way. */
  stop(): Promise<void>
}

export async function startFastSender(onLost: (error: Error) => void): Promise<FastSender> {
  const threads = await startNativeThreads<FastOrder, FastEnd>(new URL('fast-thread.ts', import.meta.url), onLost)
  return {
    get alive() {
      return threads.some(({ alive }) => alive)
    },
    async send(order) {
      const { content, handedOver } = forThread(order.content)
      const thread = leastBusy(threads)
      try {
        if (thread === undefined) throw new Error('no thread is left that sends')
        return await thread.carryOut({ ...order, content }, undefined, handedOver)
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error)
        return { phase: 'failed', acked: 0, repeated: 0, because }
      }
    },
    async stop() {
      await Promise.all(threads.map((thread) => thread.stop()))
    },
  }
}

/** Shared memory goes as it is; other memory as a copy, made once. */
function forThread(content: Content): { content: Content; handedOver: ArrayBuffer[] } {
  if ('fd' in content || content.bytes.buffer instanceof SharedArrayBuffer) return { content, handedOver: [] }
  const bytes = new Uint8Array(content.bytes)
  return { content: { bytes }, handedOver: [bytes.buffer] }
}
