import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import { openLeaseFile, type LeaseWrite } from './lease-file.ts'

export interface DurableLeases extends LeaseStore {
  /** Of all states. */
  readonly size: number
  /** What was committed is on disk; what was only staged is forgotten. */
  close(): Promise<void>
}

/**
 * Leases over SQLite. Decisions read memory; what must survive a restart is written in one transaction per batch, synced before
 * any client hears of it, by a thread of its own. Offers are not written: a client whose offer is forgotten asks again.
 */
export async function openLeases(
  path: string,
  ranges: readonly { first: number; last: number }[],
): Promise<DurableLeases> {
  const table = new LeaseTable(ranges)
  const file = openLeaseFile(path)
  for (const lease of file.all()) table.stage({ kind: 'put', lease })
  file.close()
  const writer = startWriter(path)
  await writer.online

  /** By address: the last change counts. */
  let unwritten = new Map<number, LeaseWrite>()
  return {
    byAddress: (address) => table.byAddress(address),
    byMac: (mac) => table.byMac(mac),
    free: (range, now, usable) => table.free(range, now, usable),
    get size() {
      return table.size
    },
    stage(change) {
      const before = change.kind === 'remove' ? table.byAddress(change.address) : undefined
      table.stage(change)
      if (change.kind === 'put') {
        if (change.lease.state !== 'offered') unwritten.set(change.lease.address, change.lease)
      } else if (before?.state !== 'offered' || unwritten.has(change.address))
        unwritten.set(change.address, { address: change.address, state: 'removed' })
    },
    async commit() {
      if (unwritten.size === 0) return writer.idle()
      const batch = unwritten
      unwritten = new Map()
      try {
        await writer.write([...batch.values()])
      } catch (error) {
        unwritten = new Map([...batch, ...unwritten]) // what was staged since is newer
        throw error
      }
    },
    close: () => writer.close(),
  }
}

interface Writer {
  online: Promise<unknown>
  write(changes: LeaseWrite[]): Promise<void>
  /** When all that was handed over before is on disk. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Batches are answered in the order in which they were handed over. */
function startWriter(path: string): Writer {
  const worker = new Worker(new URL('lease-writer.ts', import.meta.url), { workerData: { path } })
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  let ended: Error | undefined
  let last: Promise<void> = Promise.resolve()
  worker.on('message', (failure: string) => {
    const first = waiting.shift()
    if (failure === '') first?.resolve()
    else first?.reject(new Error(`lease file ${path}: ${failure}`))
  })
  worker.on('error', (error) => end(error))
  worker.on('exit', () => end(new Error('it has stopped')))
  function end(cause: unknown): void {
    ended ??= new Error(`the writer of the lease file ${path} is gone: restart the appliance`, { cause })
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  return {
    online: once(worker, 'online'),
    write(changes) {
      last = new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        waiting.push({ resolve, reject })
        worker.postMessage(changes)
      })
      return last
    },
    idle: () => last,
    async close() {
      if (ended !== undefined) return
      const exit = once(worker, 'exit')
      worker.postMessage('close')
      await exit
    },
  }
}
