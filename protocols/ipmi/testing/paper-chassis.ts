import type { Chassis } from '../bmc-options.ts'
import { type BootFlags, noBootFlags } from '../boot-parameters.ts'
import type { ChassisAction } from '../commands.ts'

/** A chassis that is two variables, and remembers what it was told. */
export interface PaperChassis extends Chassis {
  told: ChassisAction[]
  flags: BootFlags
}

export function paperChassis(): PaperChassis {
  let power: 'on' | 'off' = 'off'
  const chassis: PaperChassis = {
    told: [],
    flags: noBootFlags,
    power: () => Promise.resolve(power),
    control: (action) => {
      chassis.told.push(action)
      power = action === 'off' || action === 'soft' ? 'off' : 'on'
      return Promise.resolve()
    },
    bootOptions: {
      get: () => Promise.resolve(chassis.flags),
      set: (flags) => {
        chassis.flags = flags
        return Promise.resolve()
      },
    },
  }
  return chassis
}
