import { libc } from '@bloomery/wire/libc.ts'
import { leastBusy, type NativeThread, startNativeThreads } from '@bloomery/wire/native-thread.ts'
import type { Content } from './block-slice.ts'
import type { Begun, FastEnd, FastOrder } from './fast-transfers.ts'

export type Sent = Exclude<FastEnd, { phase: 'moved' }>

/** Sends files from threads that are made for nothing else. Decisions stay with who starts it. */
export interface FastSender {
  /** False where the platform has not what it takes, or where all threads were lost: files must go another way. */
  readonly alive: boolean
  send(order: Omit<FastOrder, 'id'>): Promise<Omit<Sent, 'id'>>
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
      const content = shared(order.content)
      const all = await (starting ??= start())
      let begun: Begun | undefined
      try {
        for (let thread = leastBusy(all); thread !== undefined;) {
          const end = await thread.carryOut({ ...order, content, begun })
          if (end.phase !== 'moved') return end
          begun = end.begun
          const next = all[end.to]
          thread = next?.alive ? next : leastBusy(all)
        }
        throw new Error('no thread is left that sends')
      } catch (error) {
        for (const fd of Object.values(begun?.port ?? {})) libc()?.close(fd) // nobody has them any more
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

/** What is in memory is copied once, to where all threads see it. */
function shared(content: Content): Content {
  if ('fd' in content || content.bytes.buffer instanceof SharedArrayBuffer) return content
  const bytes = new Uint8Array(new SharedArrayBuffer(content.bytes.length))
  bytes.set(content.bytes)
  return { bytes }
}
