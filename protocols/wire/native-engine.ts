import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { libc, type Libc } from './libc.ts'

/** What a thread of `native-thread.ts` does. */
export interface Engine<Order> {
  /** How much is under way. */
  readonly size: number
  begin(order: Order): void
  /** Works until the bell rings, or until there is nothing left to do. It comes back at least every 100 ms, so that a process can end. */
  run(): void
  cancel(id: number): void
  stop(): void
}

/** Which of the threads of its kind it runs in, and how much each of them has under way. */
export interface Place {
  thread: number
  busy: Int32Array<SharedArrayBuffer>
}

export type ToThread<Order> = { order: Order } | { cancel: number } | 'stop'

/** Runs an engine in this thread: in system calls while it has something to do, in Node's event loop while it has nothing. */
export function runEngine<Order>(
  make: (native: Libc, bell: number, ended: (end: unknown) => void, place: Place) => Engine<Order>,
): void {
  const native = libc()
  if (native === undefined || parentPort === null) throw new Error('an engine runs in a thread of native-thread.ts')
  const port = parentPort
  const { bell, place } = workerData as { bell: number; place: Place }
  const engine = make(native, bell, (end) => port.postMessage(end), place)
  const obey = (said: ToThread<Order>): void => {
    if (said === 'stop') {
      engine.stop()
      port.close()
    } else if ('cancel' in said) engine.cancel(said.cancel)
    else engine.begin(said.order)
  }
  port.on('message', (first: ToThread<Order>) => {
    obey(first)
    while (engine.size > 0) {
      engine.run()
      for (;;) {
        const next = receiveMessageOnPort(port) as { message: ToThread<Order> } | undefined
        if (next === undefined) break
        obey(next.message)
      }
    }
  })
  port.postMessage('up')
}
