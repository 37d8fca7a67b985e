import type { Driver } from '../../contract/hardware.ts'
import type { ConnectBmc } from './bmc.ts'
import { connectFake } from './fake.ts'
import { openIpmiDriver } from './ipmi.ts'
import { openRedfishDriver } from './redfish.ts'

/** Hardware types that this appliance drives: as many as contract/hardware.ts names, or it does not compile. */
export type Drivers = { [D in Driver]: ConnectBmc }

export function openDrivers(): { drivers: Drivers; close(): Promise<void> } {
  const ipmi = openIpmiDriver()
  const redfish = openRedfishDriver()
  return {
    drivers: {
      ipmi: ipmi.connect,
      redfish: redfish.connect,
      // The steps that only Dell has are of its management interface; all else it speaks as others.
      idrac: redfish.connect,
      // Somebody presses the buttons: power is what was asked for last.
      'manual-management': connectFake,
      'fake-hardware': connectFake,
    },
    close: async () => void (await Promise.all([ipmi.close(), redfish.close()])),
  }
}
