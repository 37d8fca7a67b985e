import type { Redfish } from '@bloomery/redfish/client.ts'
import { RedfishError } from '@bloomery/redfish/error.ts'
import { isAboutPower } from '@bloomery/redfish/event.ts'
import { listenToEvents } from '@bloomery/redfish/event-listener.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { HardwareError } from '../hardware-error.ts'

/** Over a connection that the BMC holds open: no port of ours need be reached by it. What it says is a reason to ask and nothing more. */
export async function listenToPower(
  { bmc, system }: { bmc: Redfish; system: System },
  onPower: () => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await listenToEvents(bmc, {
      signal,
      // What happened while nobody listened is not told again by every BMC.
      onOpen: onPower,
      onEvents({ events }) {
        const own = events.filter(({ origin }) => origin === undefined || isOf(origin, system.path))
        if (own.some(isAboutPower)) onPower()
      },
    })
  } catch (error) {
    if (error instanceof RedfishError) throw new HardwareError(error.message, { cause: error.cause })
    throw error
  }
}

/** Chassis of several machines tell of all of them; one that names no machine may mean this one. */
function isOf(origin: string, path: string): boolean {
  return !origin.includes('/Systems/') || origin.replace(/\/$/, '').startsWith(path.replace(/\/$/, ''))
}
