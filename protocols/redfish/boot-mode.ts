import { readBios, setBios } from './bios.ts'
import { type BootMode, readBoot, readingOf } from './boot.ts'
import type { Redfish } from './client.ts'
import { textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

export async function readBootMode(bmc: Redfish, system: System): Promise<BootMode | undefined> {
  const { bootMode } = system.quirk
  if (!bootMode) {
    const { mode } = await readBoot(bmc, system)
    return mode === 'UEFI' || mode === 'Legacy' ? mode : undefined
  }
  const value = textAt((await readBios(bmc, system)).attributes, bootMode.attribute)
  if (value === bootMode.UEFI) return 'UEFI'
  return value === bootMode.Legacy ? 'Legacy' : undefined
}

/** `pending`: it counts from the machine's next start. */
export async function setBootMode(bmc: Redfish, system: System, mode: BootMode): Promise<{ pending: boolean }> {
  const { bootMode, boot } = system.quirk
  if ((await readBootMode(bmc, system)) === mode) return { pending: false }
  if (bootMode) {
    await setBios(bmc, system, { [bootMode.attribute]: bootMode[mode] })
    return { pending: true }
  }
  const operation = `set boot mode ${mode}`
  const resource = await readSystem(bmc, system, operation)
  const now = readingOf(resource)
  const rest =
    boot?.sends !== undefined
      ? { BootSourceOverrideTarget: now.target ?? 'None', BootSourceOverrideEnabled: now.enabled ?? 'Disabled' }
      : {}
  await bmc.change(resource, { Boot: { ...rest, BootSourceOverrideMode: mode } }, { operation })
  return { pending: false }
}
