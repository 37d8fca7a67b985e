import { Declined } from './bmc-options.ts'
import { LAN_CHANNEL } from './bmc-channel.ts'
import { type Row, row } from './bmc-row.ts'
import {
  chassisIdentify,
  getChassisCapabilities,
  getPowerOnHours,
  getRestartCause,
  restartCauses,
  restorePolicies,
  setPowerRestorePolicy,
} from './chassis-commands.ts'
import type { Clock } from './clock.ts'
import { chassisControl, getChassisStatus, getSystemBootOptions, setSystemBootOptions } from './commands.ts'
import { completionCodes } from './completion-code.ts'

const BMC = 0x20
const BOOT_OPTIONS_VERSION = 1
const IDENTIFY_SECONDS = 15
const HOUR = 60
/** IPMI 2.0 §28.2, byte 3. */
const identifying = { no: 0, forAWhile: 1, forGood: 2 } as const

/** What a BMC remembers of its chassis. */
export class ChassisState {
  restorePolicy: number = restorePolicies.off
  restartCause: { by: number; channel: number } = { by: restartCauses.unknown, channel: 0 }
  readonly #clock: Clock
  #identifiesUntil = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  identify(seconds: number): void {
    this.#identifiesUntil = this.#clock.now() + seconds * 1000
  }

  get identifies(): number {
    if (this.#identifiesUntil === Infinity) return identifying.forGood
    return this.#identifiesUntil > this.#clock.now() ? identifying.forAWhile : identifying.no
  }
}

export const chassisRows: ReadonlyArray<[string, Row]> = [
  row(getChassisCapabilities, async () => ({
    flags: { intrusionSensor: false, frontPanelLockout: false, diagnosticInterrupt: true, powerInterlock: false },
    fruAddress: BMC,
    sdrAddress: BMC,
    selAddress: BMC,
    managementAddress: BMC,
  })),

  row(getChassisStatus, async (_request, { chassis, chassisState }) => ({
    power: {
      on: (await chassis.power()) === 'on',
      overload: false,
      interlock: false,
      fault: false,
      controlFault: false,
      restorePolicy: chassisState.restorePolicy,
    },
    lastEvent: { acFailed: false, overload: false, interlock: false, fault: false, onByCommand: false },
    misc: {
      intrusion: false,
      frontPanelLockout: false,
      driveFault: false,
      coolingFault: false,
      identify: chassisState.identifies,
      canIdentify: true,
    },
    frontPanel: 0,
  })),

  row(chassisControl, async ({ action }, { chassis, chassisState, bootOptions }) => {
    // §28.3: what only makes sense on a running machine is declined on one that is off.
    const needsPower = action !== 'on' && action !== 'off'
    if (needsPower && (await chassis.power()) === 'off') return new Declined(completionCodes.notInPresentState)
    await bootOptions.controlled()
    await chassis.control(action)
    if (action === 'on' || action === 'cycle' || action === 'reset')
      chassisState.restartCause = { by: restartCauses.command, channel: LAN_CHANNEL }
    return undefined
  }),

  row(chassisIdentify, async ({ seconds = IDENTIFY_SECONDS, force }, { chassisState }) =>
    chassisState.identify(force?.on ? Infinity : seconds),
  ),

  row(setPowerRestorePolicy, async ({ policy }, { chassisState }) => {
    if (policy.after > restorePolicies.unchanged) return new Declined(completionCodes.invalidData)
    if (policy.after !== restorePolicies.unchanged) chassisState.restorePolicy = policy.after
    return { supported: { off: true, previous: true, on: true } }
  }),

  row(getRestartCause, async (_request, { chassisState: { restartCause } }) => ({
    cause: restartCause,
    channel: restartCause.channel,
  })),

  row(getPowerOnHours, async (_request, { inventory }) =>
    inventory.hours
      ? { minutesPerCount: HOUR, count: await inventory.hours() }
      : new Declined(completionCodes.invalidCommand),
  ),

  row(setSystemBootOptions, async ({ parameter, data }, { bootOptions }) =>
    (await bootOptions.set(parameter.selector, parameter.locked, data))
      ? undefined
      : new Declined(completionCodes.parameterNotSupported),
  ),

  row(getSystemBootOptions, async ({ selector }, { bootOptions }) => {
    const found = await bootOptions.get(selector & 0x7f)
    if (!found) return new Declined(completionCodes.parameterNotSupported)
    const { locked, data } = found
    return { version: BOOT_OPTIONS_VERSION, parameter: { selector: selector & 0x7f, locked }, data }
  }),
]
