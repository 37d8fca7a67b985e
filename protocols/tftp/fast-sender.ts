import { libc } from '@bloomery/wire/libc.ts'
import { leastBusy, type NativeThread, startNativeThreads } from '@bloomery/wire/native-thread.ts'
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

/** The threads are made when the first file is sent: each takes some 15 MB. */
export function startFastSender(onLost: (error: Error) => void): FastSender {
  let threads: readonly Thread[] | undefined
  let starting: Promise<readonly Thread[]> | undefined
  const start = async (): Promise<readonly Thread[]> => {
    try {
      threads = await startNativeThreads<FastOrder, FastEnd>(new URL('fast-thread.ts', import.meta.url), onLost)
    } catch (error) {
      threads = []
      onLost(error as Error)
    }
    return threads
  }
  return {
    get alive() {
      return threads?.some(({ alive }) => alive) ?? libc() !== undefined
    },
    async send(order) {
      const { content, handedOver } = forThread(order.content)
      const thread = leastBusy(await (starting ??= start()))
      try {
        if (thread === undefined) throw new Error('no thread is left that sends')
        return await thread.carryOut({ ...order, content }, undefined, handedOver)
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error)
        return { phase: 'failed', acked: 0, repeated: 0, because }
      }
    },
    async stop() {
      await Promise.all(((await starting) ?? []).map((thread) => thread.stop()))
    },
  }
}

type Thread = NativeThread<FastOrder, FastEnd>

/** Shared memory goes as it is; other memory as a copy, made once. */
function forThread(content: Content): { content: Content; handedOver: ArrayBuffer[] } {
  if ('fd' in content || content.bytes.buffer instanceof SharedArrayBuffer) return { content, handedOver: [] }
  const bytes = new Uint8Array(content.bytes)
  return { content: { bytes }, handedOver: [bytes.buffer] }
}
