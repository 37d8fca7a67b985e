import { availableParallelism, freemem } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { CommandProgress } from '../../contract/agent.ts'
import type { Clock } from '../clock.ts'
import { CommandFailure } from '../failure.ts'
import type { BurnOrder, BurnOutcome } from './thread.ts'

/** In the bundle, which is one file, the thread's program as text. */
declare const BURN_THREAD: string | undefined
const program =
  typeof BURN_THREAD === 'string'
    ? new URL(`data:text/javascript,${encodeURIComponent(BURN_THREAD)}`)
    : new URL('./thread.ts', import.meta.url)

/** What the agent needs beside the memory under test, and each of the threads. */
const RESERVE = 80 * 1024 * 1024
const LOOK_MS = 1000
/** A thread looks at the time between two rounds only. */
const GRACE_MS = 600_000

export interface Burning {
  clock: Clock
  progress: (progress: CommandProgress) => void
}

export function burnProcessors(cpus: number, seconds: number, burning: Burning): Promise<string> {
  const count = cpus === 0 ? availableParallelism() : cpus
  return burn(
    'cpu',
    Array.from({ length: count }, () => 0),
    seconds,
    burning,
  )
}

export function burnMemory(percent: number, seconds: number, burning: Burning, free = freemem()): Promise<string> {
  const count = availableParallelism()
  const usable = Math.max(0, free - RESERVE * (count + 1)) * (percent / 100)
  return burn(
    'memory',
    Array.from({ length: count }, () => Math.floor(usable / count)),
    seconds,
    burning,
  )
}

/** One thread for each share; the first that fails ends all. */
async function burn(
  kind: BurnOrder['kind'],
  shares: number[],
  seconds: number,
  { clock, progress }: Burning,
): Promise<string> {
  const began = clock.now()
  const until = began + seconds * 1000
  const threads = shares.map((bytes) => new Worker(program, { workerData: { kind, until, bytes } satisfies BurnOrder }))
  const over = new AbortController()
  const told = tell(clock, began, until, progress, over.signal)
  const late = new AbortController()
  const deadline = clock.sleep(seconds * 1000 + GRACE_MS, late.signal).then(() => {
    if (!late.signal.aborted) throw failed(kind, `a thread did not end within ${GRACE_MS / 1000} s of the time set`)
    return []
  })
  try {
    const outcomes = await Promise.race([
      Promise.all(threads.map((thread, index) => outcome(kind, thread, index))),
      deadline,
    ])
    const rounds = outcomes.reduce((sum, each) => sum + each, 0)
    return `${rounds} rounds in ${threads.length} threads, ${seconds} s, without an error`
  } finally {
    over.abort()
    late.abort()
    await Promise.all(threads.map((thread) => thread.terminate()))
    await told
  }
}

function outcome(kind: BurnOrder['kind'], thread: Worker, index: number): Promise<number> {
  return new Promise((resolve, reject) => {
    thread.once('message', (told: BurnOutcome) =>
      'because' in told ? reject(failed(kind, `thread ${index}: ${told.because}`)) : resolve(told.rounds),
    )
    thread.once('error', (error: Error) => reject(failed(kind, `thread ${index}: ${error.message}`)))
    thread.once('exit', () => reject(failed(kind, `thread ${index} ended by itself`)))
  })
}

async function tell(
  clock: Clock,
  began: number,
  until: number,
  progress: Burning['progress'],
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const percent = until === began ? 100 : ((clock.now() - began) / (until - began)) * 100
    progress({ percent: Math.min(100, Math.max(0, Math.floor(percent))), mb_per_second: 0, bytes: 0 })
    await clock.sleep(LOOK_MS, over)
  }
}

function failed(kind: string, why: string): CommandFailure {
  return new CommandFailure('BurnInError', `burn-in of ${kind} failed: ${why}`)
}
