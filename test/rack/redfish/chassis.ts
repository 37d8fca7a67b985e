import { bootDevices, noBootFlags } from '@bloomery/ipmi/boot-parameters.ts'
import type { Chassis } from '@bloomery/ipmi/bmc-options.ts'
import {
  type BootOverride,
  type Machine,
  type MachineFacts,
  Refusal,
  type Vitals,
} from '@bloomery/redfish/service/machine.ts'

const actions = {
  On: 'on',
  ForceOn: 'on',
  ForceOff: 'off',
  GracefulShutdown: 'soft',
  ForceRestart: 'reset',
  GracefulRestart: 'reset',
  PowerCycle: 'reset',
  Nmi: 'diag',
} as const

const devices: Readonly<Record<string, number>> = {
  None: bootDevices.none,
  Pxe: bootDevices.pxe,
  Hdd: bootDevices.disk,
  Cd: bootDevices.cdrom,
  BiosSetup: bootDevices.bios,
}

/** The same chassis behind a Redfish BMC instead of an IPMI one. */
export function machineOver(chassis: Chassis, facts: MachineFacts, vitals?: Vitals): Machine {
  return {
    facts,
    ...(vitals && { vitals }),
    power: async () => ((await chassis.power()) === 'on' ? 'On' : 'Off'),
    reset: (type) => {
      if (!Object.hasOwn(actions, type)) throw new Refusal(400, 'ActionParameterNotSupported', ['ResetType', type])
      return chassis.control(actions[type as keyof typeof actions])
    },
    boot: {
      get: async () => {
        const { flags, boot } = await chassis.bootOptions.get()
        const target = Object.keys(devices).find((name) => devices[name] === boot.device) ?? 'None'
        const enabled = target === 'None' ? 'Disabled' : flags.persistent ? 'Continuous' : 'Once'
        return { target, enabled, mode: flags.uefi ? 'UEFI' : 'Legacy' } satisfies BootOverride
      },
      set: ({ target, enabled, mode }) => {
        const device = enabled === 'Disabled' ? bootDevices.none : devices[target]
        if (device === undefined) throw new Refusal(400, 'PropertyValueNotInList', [target, 'BootSourceOverrideTarget'])
        const flags = { valid: true, persistent: enabled === 'Continuous', uefi: mode === 'UEFI' }
        return chassis.bootOptions.set({ ...noBootFlags, flags, boot: { ...noBootFlags.boot, device } })
      },
    },
  }
}
