import { fakeDelay, type FakeDelay } from '../../contract/hardware.ts'
import type { DriverInfo } from './bmc.ts'

/** How long an action of a fake interface takes, in milliseconds: as the node's driver_info says, else as the appliance is configured. */
export type Delays = (kind: FakeDelay, driverInfo: DriverInfo) => number
export type DelayConfig = Partial<Record<`${FakeDelay}_delay`, { least: number; most: number }>>

export function openDelays(configured: DelayConfig, random: () => number): Delays {
  return (kind, driverInfo) => {
    const own = driverInfo[`fake_${kind}_delay`]
    const named = own === undefined || own === null ? undefined : fakeDelay.safeParse(own).data
    const { least, most } = named ?? configured[`${kind}_delay`] ?? { least: 0, most: 0 }
    return (least + (most - least) * random()) * 1000
  }
}
