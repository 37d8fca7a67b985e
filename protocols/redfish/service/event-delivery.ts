import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { eventMessage, type Emitted } from './event-source.ts'
import type { State, Subscriber } from './state.ts'

export const ATTEMPTS = 3
const RETRY_MS = 1000
const ANSWER_MS = 5000

/** POSTs what happens to each subscriber, in order; one that can't be reached is suspended. Returns the end of it. */
export function deliverEvents(state: State): () => void {
  const ended = new AbortController()
  const queues = new WeakMap<Subscriber, Promise<void>>()
  const deliver = async (subscriber: Subscriber, emitted: Emitted): Promise<void> => {
    const body = JSON.stringify(eventMessage(emitted, subscriber.context))
    for (let attempt = 0; attempt < ATTEMPTS && !ended.signal.aborted && !subscriber.suspended; attempt += 1) {
      if (attempt > 0) await new Promise<void>((resolve) => void state.clock.after(RETRY_MS, resolve))
      if (await posted(subscriber, body)) return
    }
    subscriber.suspended = true
  }
  const stop = state.events.listen((emitted) => {
    for (const subscriber of state.subscriptions.values()) {
      const before = queues.get(subscriber) ?? Promise.resolve()
      queues.set(
        subscriber,
        before.then(() => deliver(subscriber, emitted)),
      )
    }
  })
  return () => {
    ended.abort()
    stop()
  }
}

/** As BMCs do, without a look at the receiver's certificate. */
function posted({ destination, headers: own }: Subscriber, body: string): Promise<boolean> {
  return new Promise((resolve) => {
    const url = URL.parse(destination)
    if (!url || !/^https?:$/.test(url.protocol)) return resolve(false)
    const headers = { ...own, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', headers, timeout: ANSWER_MS, rejectUnauthorized: false, agent: false } as const
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (reply) => {
      reply.resume()
      resolve((reply.statusCode ?? 500) < 300)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.end(body)
  })
}
