import { isSealed, open, RESCUE_PASSWORD, seal, type Sealed } from '../../contract/seal.ts'
import { randomBytes } from 'node:crypto'
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

/** What is shown for an image of the instance, or for all images of this machine. */
export function openImageSecret(
  machine: Machine,
  key: string,
  identity: Pick<Identity, 'uuid' | 'sealingKey'>,
): string | undefined {
  const value = [machine.instance_info[key], machine.driver_info[key]].find(isSealed)
  if (value === undefined) return undefined
  try {
    return open(value, `${machine.node}/${key}`, identity.uuid, identity.sealingKey)
  } catch (error) {
    throw new HardwareError(`${key} of the node can't be opened by this appliance; set it again`, { cause: error })
  }
}

/** driver_info with its sealed values opened; `bind` as the cloud sealed them: node and key. A key that was set to null says nothing. */
export function openSecrets(machine: Machine, identity: Pick<Identity, 'uuid' | 'sealingKey'>): DriverInfo {
  const given = Object.entries(machine.driver_info).filter(([, value]) => value !== null)
  return Object.fromEntries(
    given.map(([key, value]) => {
      if (!isSealed(value)) return [key, value]
      try {
        return [key, open(value, `${machine.node}/${key}`, identity.uuid, identity.sealingKey)]
      } catch (error) {
        throw new HardwareError(`driver_info/${key} can't be opened by this appliance; set it again`, { cause: error })
      }
    }),
  )
}

const MOST_ROOM = 20

/** New secrets of a machine, which only its site can open. */
export interface StepSecrets {
  /** Of at most so many bytes. */
  fresh(room?: number): string
  seal(key: string, text: string): Sealed
  open(key: string, value: unknown): string
  /** What driver_info has there now. */
  present(key: string): string | undefined
}

export function stepSecrets(machine: Machine, identity: Pick<Identity, 'uuid' | 'sealingKey'>): StepSecrets {
  return {
    // 20 bytes are what IPMI has room for; the first four are of the kinds that BMCs want to see.
    fresh: (room = MOST_ROOM) => `Aa1-${randomBytes(12).toString('base64url')}`.slice(0, room),
    seal(key, text) {
      const to = machine.sealing_keys ?? []
      if (!to.some(({ appliance }) => appliance === identity.uuid))
        throw new HardwareError('the plan does not say to whom a new secret is to be sealed; ask again')
      return seal(text, `${machine.node}/${key}`, to)
    },
    open(key, value) {
      if (!isSealed(value)) throw new HardwareError(`the new secret for driver_info/${key} is lost; ask again`)
      return open(value, `${machine.node}/${key}`, identity.uuid, identity.sealingKey)
    },
    present(key) {
      const value = openSecrets(machine, identity)[key]
      return typeof value === 'string' ? value : undefined
    },
  }
}
