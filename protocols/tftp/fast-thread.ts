import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { libc } from '@bloomery/wire/libc.ts'
import { FastTransfers, type FastOrder } from './fast-transfers.ts'

/** The thread of `fast-sender.ts`. It is in system calls while it has transfers, and in Node's event loop while it has none. */
const { bell } = workerData as { bell: number }
const native = libc()
if (native === undefined || parentPort === null) throw new Error('this file is a thread of fast-sender.ts')
const port = parentPort
const transfers = new FastTransfers(native, bell, (end) => port.postMessage(end))

function obey(order: FastOrder | 'stop'): void {
  if (order !== 'stop') return transfers.begin(order)
  transfers.stop()
  port.close()
}

port.on('message', (first: FastOrder | 'stop') => {
  obey(first)
  while (transfers.size > 0) {
    transfers.run()
    for (;;) {
      const next = receiveMessageOnPort(port) as { message: FastOrder | 'stop' } | undefined
      if (next === undefined) break
      obey(next.message)
    }
  }
})
port.postMessage('up')
