import type { ChassisState } from './bmc-chassis.ts'
import type { EventLog } from './bmc-event-log.ts'
import { type BmcOptions, type Chassis, Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import { restartCauses } from './chassis-commands.ts'
import type { Clock } from './clock.ts'
import type { ResponseOf } from './command.ts'
import type { ChassisAction } from './commands.ts'
import { getWatchdog, resetWatchdog, setWatchdog, watchdogActions } from './watchdog-commands.ts'

/** IPMI 2.0 §27.5: nobody has set it yet. */
const NOT_SET = 0x80
const TENTH = 100
const BMC = 0x20
const EVENT = 0x02
const WATCHDOG_2 = 0x23

type Settings = Omit<ResponseOf<typeof getWatchdog>, 'present'>

const actions: ReadonlyMap<number, ChassisAction> = new Map([
  [watchdogActions.reset, 'reset'],
  [watchdogActions.off, 'off'],
  [watchdogActions.cycle, 'cycle'],
])

/** The watchdog timer: software that doesn't reset it in time has its machine started anew. */
export class Watchdog {
  readonly #clock: Clock
  readonly #bite: (settings: Settings, action: ChassisAction | undefined) => void
  #settings: Settings = {
    use: { purpose: 0, running: false, silent: false },
    actions: { onTimeout: 0, interrupt: 0 },
    interruptBefore: 0,
    expired: 0,
    initial: 0,
  }
  #set = false
  #present = 0
  #runsOut: number | undefined
  #cancel = (): void => undefined

  constructor(clock: Clock, bite: (settings: Settings, action: ChassisAction | undefined) => void) {
    this.#clock = clock
    this.#bite = bite
  }

  get isSet(): boolean {
    return this.#set
  }

  read(): ResponseOf<typeof getWatchdog> {
    const running = this.#runsOut !== undefined
    const present = running ? Math.ceil((this.#runsOut! - this.#clock.now()) / TENTH) : this.#present
    return { ...this.#settings, use: { ...this.#settings.use, running }, present: Math.max(present, 0) }
  }

  /** §27.6: it stops, unless it runs and the console says "don't stop". */
  set(settings: Settings): void {
    const goesOn = settings.use.running && this.#runsOut !== undefined
    this.#settings = { ...settings, expired: this.#settings.expired & ~settings.expired }
    this.#set = true
    if (goesOn) return this.start()
    this.stop()
    this.#present = settings.initial
  }

  start(): void {
    this.stop()
    const ms = this.#settings.initial * TENTH
    this.#runsOut = this.#clock.now() + ms
    this.#cancel = this.#clock.after(ms, () => this.#expire())
  }

  stop(): void {
    this.#cancel()
    this.#runsOut = undefined
  }

  #expire(): void {
    this.stop()
    this.#present = 0
    const { use, actions: then } = this.#settings
    this.#settings = { ...this.#settings, expired: this.#settings.expired | (1 << use.purpose) }
    this.#bite(this.#settings, actions.get(then.onTimeout))
  }
}

/** A watchdog that bites: the machine is treated as was asked, and the log says so (§27.5, table 42-3 type 23). */
export function guard(of: {
  chassis: Chassis
  chassisState: ChassisState
  eventLog: EventLog
  clock: Clock
  onError: BmcOptions['onError']
}): Watchdog {
  return new Watchdog(of.clock, ({ use, actions: { onTimeout } }, action) => {
    const data = [0xc0 | onTimeout, use.purpose, 0xff]
    if (!use.silent) of.eventLog.add(Uint8Array.of(0, 0, EVENT, 0, 0, 0, 0, BMC, 0, 4, WATCHDOG_2, 0, 0x6f, ...data))
    if (!action) return
    if (action !== 'off') of.chassisState.restartCause = { by: restartCauses.watchdog, channel: 0 }
    of.chassis.control(action).catch(of.onError)
  })
}

export const watchdogRows: ReadonlyArray<[string, Row]> = [
  row(resetWatchdog, async (_request, { watchdog }) => (watchdog.isSet ? watchdog.start() : new Declined(NOT_SET))),
  row(setWatchdog, async (settings, { watchdog }) => watchdog.set(settings)),
  row(getWatchdog, async (_request, { watchdog }) => watchdog.read()),
]
