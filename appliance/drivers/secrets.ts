import { isSealed, open, RESCUE_PASSWORD } from '../../contract/seal.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Identity } from '../identity.ts'
import { HardwareError } from '../hardware-error.ts'
import type { DriverInfo } from './bmc.ts'

/** The password that a rescue was asked for with; it stands in instance_info, as Ironic keeps it. */
export function openRescuePassword(machine: Machine, identity: Pick<Identity, 'uuid' | 'sealingKey'>): string {
  const value = machine.instance_info[RESCUE_PASSWORD]
  if (!isSealed(value)) throw new HardwareError('no rescue password was given')
  try {
    return open(value, `${machine.node}/${RESCUE_PASSWORD}`, identity.uuid, identity.sealingKey)
  } catch (error) {
    throw new HardwareError("the rescue password can't be opened by this appliance; ask for the rescue again", {
      cause: error,
    })
  }
}

/** driver_info with its sealed values opened; `bind` as the cloud sealed them: node and key. */
export function openSecrets(machine: Machine, identity: Pick<Identity, 'uuid' | 'sealingKey'>): DriverInfo {
  return Object.fromEntries(
    Object.entries(machine.driver_info).map(([key, value]) => {
      if (!isSealed(value)) return [key, value]
      try {
        return [key, open(value, `${machine.node}/${key}`, identity.uuid, identity.sealingKey)]
      } catch (error) {
        throw new HardwareError(`driver_info/${key} can't be opened by this appliance; set it again`, { cause: error })
      }
    }),
  )
}
