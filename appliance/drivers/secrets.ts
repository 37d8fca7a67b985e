import { isSealed, open } from '../../contract/seal.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Identity } from '../identity.ts'
import { HardwareError } from '../hardware-error.ts'
import type { DriverInfo } from './bmc.ts'

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
