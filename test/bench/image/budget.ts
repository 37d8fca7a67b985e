import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Spent } from './budget-thread.ts'

export interface Budget extends Spent {
  seconds: number
}

/** What can't be spared: all chunks unpacked and hashed, by so many threads, with nothing received, copied or written. */
export async function leastWork(cache: string, threads = availableParallelism()): Promise<Budget> {
  const files = readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.startsWith('chunk-'))
    .map((entry) => join(entry.parentPath, entry.name))
  const program = new URL('budget-thread.ts', import.meta.url)
  const workers = Array.from({ length: threads }, (_, at) => {
    const share = files.filter((_file, index) => index % threads === at)
    return new Worker(program, { workerData: { files: share } })
  })
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const begun = performance.now()
  const all = await Promise.all(
    workers.map(async (worker) => {
      const done = once(worker, 'message') as Promise<[Spent]>
      worker.postMessage('go')
      return (await done)[0]
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  await Promise.all(workers.map((worker) => worker.terminate()))
  const sum = (part: keyof Spent): number => all.reduce((total, spent) => total + spent[part], 0)
  return { seconds, unpacking: sum('unpacking'), hashing: sum('hashing') }
}
