import type { Driver } from '../../contract/hardware.ts'
import type { ConnectBmc } from './bmc.ts'
import { openIpmiDriver } from './ipmi.ts'

/** Hardware types that this appliance drives: as many as contract/hardware.ts names, or it does not compile. */
export type Drivers = { [D in Driver]: ConnectBmc }

export function openDrivers(): { drivers: Drivers; close(): Promise<void> } {
  const ipmi = openIpmiDriver()
  return { drivers: { ipmi: ipmi.connect }, close: () => ipmi.close() }
}
