import type { Redfish, Resource } from './client.ts'
import { members } from './collection.ts'
import { NotOffered } from './error.ts'
import { booleanAt, linkAt, textAt, textsAt } from './json.ts'
import { readSystem, type System } from './system.ts'

/** One entry of the firmware's own list (UEFI's Boot####; DSP2046 BootOption). */
export interface BootOption {
  path: string
  /** What the boot order names it by: `Boot0003`. */
  reference: string
  name: string | undefined
  enabled: boolean | undefined
  devicePath: string | undefined
}

export interface BootOrder {
  /** First to last; from the next start on. */
  order: readonly string[]
  options: readonly BootOption[]
}

export async function readBootOrder(bmc: Redfish, system: System): Promise<BootOrder> {
  const operation = 'read boot order'
  const { body } = await readSystem(bmc, system, operation)
  const collection = linkAt(body, 'Boot', 'BootOptions')
  if (collection === undefined) throw none(bmc, operation)
  const options = (await members(bmc, collection, operation)).map(optionOf)
  return { order: textsAt(body, 'Boot', 'BootOrder'), options }
}

/** All references, first to last: those that are left out are not booted. Counts from the next start. */
export async function setBootOrder(bmc: Redfish, system: System, order: readonly string[]): Promise<void> {
  const operation = 'set boot order'
  const resource = await readSystem(bmc, system, operation)
  const known = textsAt(resource.body, 'Boot', 'BootOrder')
  const unknown = order.find((each) => known.length > 0 && !known.includes(each))
  if (unknown !== undefined)
    throw new NotOffered(
      bmc.subject(operation),
      `the machine has no boot option ${unknown}; it has ${known.join(', ')}`,
    )
  // Where there is a settings resource the order is changed there (DSP0266 §9.10): the system's own is what counts now.
  const settings = linkAt(resource.body, '@Redfish.Settings', 'SettingsObject')
  const target = settings === undefined ? resource : await bmc.get(settings, operation)
  await bmc.change(target, { Boot: { BootOrder: order } }, { operation })
}

export async function enableBootOption(bmc: Redfish, { path }: BootOption, enabled: boolean): Promise<void> {
  const operation = `switch a boot option ${enabled ? 'on' : 'off'}`
  await bmc.change(await bmc.get(path, operation), { BootOptionEnabled: enabled }, { operation })
}

function optionOf({ path, body }: Resource): BootOption {
  return {
    path,
    reference: textAt(body, 'BootOptionReference') ?? textAt(body, 'Id') ?? path,
    name: textAt(body, 'DisplayName') ?? textAt(body, 'Name'),
    enabled: booleanAt(body, 'BootOptionEnabled'),
    devicePath: textAt(body, 'UefiDevicePath'),
  }
}

function none(bmc: Redfish, operation: string): NotOffered {
  return new NotOffered(bmc.subject(operation), "the BMC doesn't tell the firmware's boot options; use its set-up")
}
