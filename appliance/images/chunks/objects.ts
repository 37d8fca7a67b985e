import { openFairQueue } from './fair-queue.ts'
import type { ObjectStore } from './object-store.ts'
import type { PlacesParts } from './places.ts'
import { Abandoned, pull } from './pull.ts'

export interface Want {
  /** Whose turn it is when many want something: the plan. */
  lane: string
  urgent: boolean
  signal: AbortSignal
  trouble(text: string): void
}

export interface Job {
  what: string
  limit: number
  url(): Promise<string>
  expired(): void
  /** What is to be kept of what came; undefined: it is wrong. */
  keep(bytes: Buffer): Promise<Buffer | undefined>
  /** Something else is to be made of it before it is written. */
  passing?(kept: Buffer): boolean
}

/** Objects of the site's store, brought over the WAN once however many want them at once. */
export interface Objects {
  bring(name: string, want: Want, job: Job): Promise<Buffer>
}

/** Pulls at once: enough to fill a line that takes its time. */
const AT_ONCE = 16
/** While machines fetch what they boot with all that the processors have: each pull costs those some 8 ms. */
const BESIDE_BOOTS = 1
/** Before each of those, which makes a tenth of a core at most. */
const REST_MS = 100

interface Flight {
  work: Promise<Buffer>
  task: { urgent: boolean }
  wants: Set<Want>
}

export function openObjects(
  store: ObjectStore,
  parts: Pick<PlacesParts, 'clock' | 'get' | 'received' | 'stallMs' | 'mustYield'>,
): Objects {
  const { clock, get } = parts
  const mustYield = (): boolean => parts.mustYield?.() ?? false
  const queue = openFairQueue(() => (mustYield() ? BESIDE_BOOTS : AT_ONCE))
  const flights = new Map<string, Flight>()

  /** From here, from whoever fetches it already, or over the WAN. */
  async function bring(name: string, want: Want, job: Job): Promise<Buffer> {
    const here = await store.get(name)
    if (here) return here
    let flight = flights.get(name)
    if (!flight) {
      const wants = new Set([want])
      const task = {
        urgent: want.urgent,
        async work(): Promise<Buffer> {
          let kept: Buffer | undefined
          if (mustYield()) await clock.sleep(REST_MS)
          await pull(
            {
              ...job,
              wanted: () => [...wants].some(({ signal }) => !signal.aborted),
              trouble: (text) => wants.forEach((each) => each.trouble(text)),
              received: parts.received,
              stallMs: parts.stallMs,
              accept: async (bytes) => (kept = await job.keep(bytes)) !== undefined,
            },
            clock,
            get,
          )
          if (!job.passing?.(kept!)) await store.put(name, kept!)
          return kept!
        },
      }
      const work = queue.run(want.lane, task).finally(() => flights.delete(name))
      // Whoever waits hears of a failure; the others left.
      work.catch(() => {})
      flight = { work, task, wants }
      flights.set(name, flight)
    }
    if (want.urgent) flight.task.urgent = true
    flight.wants.add(want)
    try {
      return await unlessAborted(want.signal, flight.work)
    } catch (error) {
      // Those before us left at the moment in which we came.
      if (error instanceof Abandoned && !want.signal.aborted) return await bring(name, want, job)
      throw error
    } finally {
      flight.wants.delete(want)
    }
  }

  return { bring }
}

export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
