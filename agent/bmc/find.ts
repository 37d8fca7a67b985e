import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { openIpmiDevice } from './ipmi-device.ts'
import { bmcPlace, type BmcPlace } from './lan.ts'

/** Where this machine's BMC is in the network. An inventory without it is better than none. */
export async function findBmc(clock: Clock, log: Log): Promise<BmcPlace | undefined> {
  const device = await openIpmiDevice(clock)
  if (!device) return undefined
  try {
    return await bmcPlace(device)
  } catch (error) {
    log.warn('where the BMC is could not be asked', { because: reason(error) })
    return undefined
  } finally {
    device.close()
  }
}
