import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver } from '../../contract/hardware.ts'
import type { ConnectBmc } from './bmc.ts'
import { connectFake } from './fake.ts'
import { openIpmiDriver } from './ipmi.ts'
import { openRedfishDriver } from './redfish.ts'

/** Hardware types that this appliance drives: as many as contract/hardware.ts names, or it does not compile. */
export type Drivers = { [D in Driver]: ConnectBmc }

/** What BMCs have to take leave in; of some hundreds, a few are always being asked in vain. */
const CLOSE_MS = 3000

/** `ipmiIdleMs`: how long an IPMI session is kept that nobody uses. */
export function openDrivers({ ipmiIdleMs }: { ipmiIdleMs?: number | undefined } = {}): {
  drivers: Drivers
  close(): Promise<void>
} {
  const ipmi = openIpmiDriver(ipmiIdleMs)
  const redfish = openRedfishDriver()
  return {
    drivers: {
      ipmi: ipmi.connect,
      'intel-ipmi': ipmi.connect,
      redfish: redfish.connect,
      // The steps that only Dell has are of its management interface; all else it speaks as others.
      idrac: redfish.connect,
      // Somebody presses the buttons: power is what was asked for last.
      'manual-management': connectFake,
      'fake-hardware': connectFake,
    },
    close: () => atMost(CLOSE_MS, Promise.all([ipmi.close(), redfish.close()])),
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController()
  const late = sleep(ms, undefined, { signal: enough.signal }).catch(() => {})
  await Promise.race([work, late]).finally(() => enough.abort())
}
