import { readFileSync } from 'node:fs'
import type { Plan } from '../../contract/plan.ts'
import { type SiteSwitch, switchKeyOf } from '../../contract/switch-doors.ts'
import { open as unseal } from '../../contract/seal.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Identity } from '../identity.ts'
import type { SwitchConfig, SwitchDoor } from './config.ts'

/** What a port lets through: one VLAN whose frames come and go untagged, null where it is none's access port, and others with their tags. */
export interface Vlans {
  vlan: number | null
  tagged: readonly number[]
}

/** What a driver does on one switch. Each call is a log-in of its own: plans move ports seldom, and switches allow few sessions. */
export interface Switch {
  vlansOf(port: string, signal: AbortSignal): Promise<Vlans>
  /** Lets just these through, and says so only if the switch then says so too; none: as it was made. */
  setVlans(port: string, vlans: Vlans, signal: AbortSignal): Promise<void>
}

export interface Switches {
  /** By its name or MAC, first of the appliance's own, then of those that the plan brings; undefined: there is none such. */
  find(named: string, told: Plan['switches']): { name: string; device: Switch } | undefined
  names(told: Plan['switches']): string[]
}

export function openSwitches(
  configs: readonly SwitchConfig[],
  open: (door: SwitchDoor) => Switch,
  identity: Pick<Identity, 'uuid' | 'sealingKey'>,
): Switches {
  const isNamed =
    (named: string) =>
    ({ name, id }: { name: string; id?: string | null | undefined }): boolean =>
      name === named || id?.toLowerCase() === named.toLowerCase()
  return {
    find(named, told) {
      const own = configs.find(isNamed(named))
      if (own) return { name: own.name, device: open(ownDoor(own)) }
      const other = told?.doors.find(isNamed(named))
      return told && other && { name: other.name, device: open(toldDoor(other, told.site, identity)) }
    },
    names: (told) => [...new Set([...configs, ...(told?.doors ?? [])].map(({ name }) => name))],
  }
}

function ownDoor(config: SwitchConfig): SwitchDoor {
  return {
    ...config,
    keyName: `the key ${config.key}`,
    whereItIsSaid: "switches of the appliance's configuration",
    privateKey() {
      try {
        return readFileSync(config.key)
      } catch (error) {
        throw new HardwareError(
          `switch ${config.name}: its key ${config.key} can't be read: ${error instanceof Error ? error.message : ''}`,
        )
      }
    },
  }
}

function toldDoor(
  { private_key: key, ...door }: SiteSwitch,
  site: string,
  { uuid, sealingKey }: Pick<Identity, 'uuid' | 'sealingKey'>,
): SwitchDoor {
  return {
    ...door,
    keyName: 'the key that the cloud has of it',
    whereItIsSaid: `switch ${door.name} of site ${site} (bloomery site switch set)`,
    privateKey() {
      try {
        return Buffer.from(unseal(key, switchKeyOf(site, door.name), uuid, sealingKey))
      } catch (error) {
        throw new HardwareError(
          `switch ${door.name}: its key can't be opened by this appliance; set it again (bloomery site switch set)`,
          { cause: error },
        )
      }
    },
  }
}
