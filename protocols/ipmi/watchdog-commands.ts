import { command, netFns } from './command.ts'
import { bits, nothing, optional, struct, uint16, uint8 } from './fields.ts'

const { app } = netFns

/** IPMI 2.0 §27.6. */
export const watchdogUses = { biosFrb2: 1, biosPost: 2, osLoad: 3, smsOs: 4, oem: 5 } as const
export const watchdogActions = { none: 0, reset: 1, off: 2, cycle: 3 } as const

const timer = {
  /** `running`: of a request, don't stop it; of a response, it counts. */
  use: bits({ purpose: [0, 3], running: 6, silent: 7 }),
  actions: bits({ onTimeout: [0, 3], interrupt: [4, 3] }),
  /** Seconds before the timeout. */
  interruptBefore: uint8,
  /** Bits of `watchdogUses`: of a request, to be forgotten; of a response, which have run out. */
  expired: uint8,
  /** Tenths of a second. */
  initial: uint16,
}

/** §27.5. Code 80: nobody has set it yet. */
export const resetWatchdog = command({
  name: 'Reset Watchdog Timer',
  netFn: app,
  code: 0x22,
  needs: 'operator',
  request: nothing,
  response: nothing,
})

/** §27.6 */
export const setWatchdog = command({
  name: 'Set Watchdog Timer',
  netFn: app,
  code: 0x24,
  needs: 'operator',
  request: struct(timer),
  response: nothing,
})

/** §27.7 */
export const getWatchdog = command({
  name: 'Get Watchdog Timer',
  netFn: app,
  code: 0x25,
  needs: 'user',
  request: nothing,
  response: struct({ ...timer, present: optional(uint16) }),
})
