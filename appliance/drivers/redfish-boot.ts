import { readBoot, setBoot } from '@bloomery/redfish/boot.ts'
import { z } from 'zod'
import type { BootDevice } from '../../contract/resources.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, Memory } from './bmc.ts'
import type { UseRedfish } from './redfish-management.ts'

/** Ironic's names for BootSourceOverrideTarget. */
const targets = { pxe: 'Pxe', disk: 'Hdd', cdrom: 'Cd', bios: 'BiosSetup' } as const
type Named = keyof typeof targets

type Parts = Parameters<Parameters<UseRedfish>[0]>[0]
const remembered = z.object({
  redfish_again: z.object({ target: z.enum(Object.values(targets)), uefi: z.boolean() }).nullable(),
})
type Again = z.infer<typeof remembered>['redfish_again']

export function redfishBoot(use: UseRedfish, memory: Memory): Pick<Bmc, 'bootDevice' | 'setBootDevice'> {
  return {
    bootDevice: () =>
      use(async ({ bmc, system }) => {
        const { target, enabled } = await readBoot(bmc, system)
        const again = recall(memory)
        const device = deviceOf(again?.target ?? (enabled === 'Disabled' ? undefined : target))
        return device && { boot_device: device, persistent: enabled === 'Continuous' || again !== null }
      }),
    setBootDevice(device, { persistent, uefi }) {
      const target = Object.hasOwn(targets, device) ? targets[device as Named] : undefined
      if (target === undefined) return Promise.reject(new HardwareError(`Redfish has no boot device ${device}`))
      return use(async ({ bmc, system }) => {
        const wanted = persistent ? 'Continuous' : 'Once'
        const { enabled } = await setBoot(bmc, system, { target, enabled: wanted, mode: uefi ? 'UEFI' : 'Legacy' })
        remember(memory, enabled === wanted ? null : { target, uefi })
      })
    },
  }
}

/** Right before the machine starts: for a BMC that can't keep its boot device beyond one start. */
export async function chooseAgain({ bmc, system }: Parts, memory: Memory): Promise<void> {
  const again = recall(memory)
  if (again) await setBoot(bmc, system, { target: again.target, enabled: 'Once', mode: again.uefi ? 'UEFI' : 'Legacy' })
}

/** What another driver left for itself is none of ours. */
function recall(memory: Memory): Again {
  try {
    return remembered.safeParse(JSON.parse(memory.read() ?? 'null')).data?.redfish_again ?? null
  } catch {
    return null
  }
}

function remember(memory: Memory, redfish_again: Again): void {
  if (redfish_again !== null || recall(memory) !== null) memory.write(JSON.stringify({ redfish_again }))
}

function deviceOf(target: string | undefined): BootDevice | null {
  const found = Object.entries(targets).find(([, name]) => name === target)
  return found ? (found[0] as BootDevice) : null
}
