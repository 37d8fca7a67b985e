import { type Clock, systemClock } from '@bloomery/redfish/clock.ts'
import { RedfishError } from '@bloomery/redfish/error.ts'
import { createHash } from 'node:crypto'
import { HardwareError } from '../hardware-error.ts'
import type { DriverInfo } from './bmc.ts'
import { openSession, type RedfishInfo, redfishInfo, type RedfishSession } from './redfish-session.ts'

/** Well below the half hour after which BMCs forget a session (DSP0266 §13.3.4 leaves it to them), and well above how often one that is
 * looked after is asked: so passwords of before, and BMCs of nodes that are another appliance's, are not kept. */
const IDLE_MS = 900_000

interface Kept {
  session: Promise<RedfishSession>
  /** Works that use it now. */
  users: number
  idleSince: number
}

/** Sessions with a site's BMCs, one each, shared by all that ask; closed when nobody does. */
export class RedfishSessions {
  readonly #kept = new Map<string, Kept>()
  readonly #clock: Clock
  readonly #idleMs: number
  #cancelSweep: (() => void) | undefined

  constructor({ clock = systemClock, idleMs = IDLE_MS }: { clock?: Clock; idleMs?: number } = {}) {
    this.#clock = clock
    this.#idleMs = idleMs
  }

  get open(): number {
    return this.#kept.size
  }

  async use<T>(driverInfo: DriverInfo, work: (session: RedfishSession) => Promise<T>): Promise<T> {
    const info = readInfo(driverInfo)
    const key = createHash('sha256').update(JSON.stringify(info)).digest('hex')
    const kept = this.#kept.get(key) ?? { session: openSession(info), users: 0, idleSince: 0 }
    this.#kept.set(key, kept)
    this.#cancelSweep ??= this.#clock.after(this.#idleMs / 2, () => this.#sweep())
    kept.users += 1
    try {
      return await work(await kept.session)
    } catch (error) {
      // One that never opened is opened anew; the others mend themselves.
      await kept.session.catch(() => this.#kept.get(key) === kept && this.#kept.delete(key))
      if (error instanceof RedfishError || error instanceof RangeError)
        throw new HardwareError(error.message, { cause: error.cause })
      throw error
    } finally {
      kept.users -= 1
      kept.idleSince = this.#clock.now()
    }
  }

  async close(): Promise<void> {
    this.#cancelSweep?.()
    const open = [...this.#kept.values()]
    this.#kept.clear()
    await Promise.allSettled(open.map(end))
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const now = this.#clock.now()
    for (const [key, kept] of this.#kept) {
      if (kept.users > 0 || now - kept.idleSince < this.#idleMs) continue
      this.#kept.delete(key)
      void end(kept).catch(() => {})
    }
    if (this.#kept.size > 0) this.#cancelSweep = this.#clock.after(this.#idleMs / 2, () => this.#sweep())
  }
}

async function end({ session }: Kept): Promise<void> {
  await (await session).bmc.close()
}

function readInfo(driverInfo: DriverInfo): RedfishInfo {
  const parsed = redfishInfo.safeParse(driverInfo)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
}
