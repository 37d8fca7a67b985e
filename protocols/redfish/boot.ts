import type { Redfish, Resource } from './client.ts'
import { NotOffered, RequestRefused } from './error.ts'
import { type JsonObject, linkAt, textAt, textsAt } from './json.ts'
import { readSystem, type System } from './system.ts'

/** BootSourceOverrideTarget (DSP2046 §5.2), those that provisioning has a use for. */
export type BootTarget = 'None' | 'Pxe' | 'Hdd' | 'Cd' | 'Usb' | 'Floppy' | 'BiosSetup' | 'Diags' | 'UefiHttp'
export type BootEnabled = 'Once' | 'Continuous' | 'Disabled'
export type BootMode = 'UEFI' | 'Legacy'

export interface BootChoice {
  target: BootTarget
  enabled: BootEnabled
  /** Left as it is when not given. */
  mode?: BootMode
  /** For UefiHttp. */
  uri?: string
}

/** What the BMC tells; values that the specification doesn't have are told as they are. */
export interface BootReading {
  target: string | undefined
  enabled: string | undefined
  mode: string | undefined
  allowed: readonly string[]
}

export async function readBoot(bmc: Redfish, system: System): Promise<BootReading> {
  return readingOf(await readSystem(bmc, system, 'read boot device'))
}

export function readingOf({ body }: Resource): BootReading {
  const { Boot: boot } = body
  return {
    target: textAt(boot, 'BootSourceOverrideTarget'),
    enabled: textAt(boot, 'BootSourceOverrideEnabled'),
    mode: textAt(boot, 'BootSourceOverrideMode'),
    allowed: textsAt(boot, 'BootSourceOverrideTarget@Redfish.AllowableValues'),
  }
}

/** Returns what was set: a BMC that doesn't do `Continuous` is given `Once`, and then must be told again at each start. */
export async function setBoot(bmc: Redfish, system: System, choice: BootChoice): Promise<{ enabled: BootEnabled }> {
  const operation = `set boot device ${choice.target}`
  const resource = await readSystem(bmc, system, operation)
  const { allowed } = readingOf(resource)
  if (allowed.length > 0 && !allowed.includes(choice.target))
    throw new NotOffered(bmc.subject(operation), `the BMC can't boot from it; it has ${allowed.join(', ')}`)
  const wanted = choice.enabled === 'Continuous' && system.quirk.boot?.onceOnly ? 'Once' : choice.enabled
  const patch = async (enabled: BootEnabled): Promise<{ enabled: BootEnabled }> => {
    const Boot = propertiesFor(system, readingOf(resource), { ...choice, enabled })
    await bmc.change(await targetOf(bmc, system, resource, operation), { Boot }, { operation })
    return { enabled }
  }
  try {
    return await patch(wanted)
  } catch (error) {
    const refused = error instanceof RequestRefused && [400, 422, 501].includes(error.status)
    if (wanted !== 'Continuous' || !refused) throw error
    return patch('Once').catch(() => {
      throw error
    })
  }
}

/** Most BMCs want what changes; some forget the rest when not all is sent; some refuse what doesn't change. */
function propertiesFor({ quirk }: System, now: BootReading, choice: BootChoice): JsonObject {
  const { sends = 'changes', keepsMode } = quirk.boot ?? {}
  const mode = choice.mode ?? (sends === 'all' ? (now.mode ?? 'UEFI') : undefined)
  const sendsMode =
    mode !== undefined && !keepsMode && (sends === 'all' || (now.mode !== undefined && now.mode !== mode))
  return {
    BootSourceOverrideTarget: choice.target,
    ...(sends !== 'changes' || now.enabled !== choice.enabled ? { BootSourceOverrideEnabled: choice.enabled } : {}),
    ...(sendsMode ? { BootSourceOverrideMode: mode } : {}),
    ...(choice.target === 'UefiHttp' && choice.uri !== undefined ? { HttpBootUri: choice.uri } : {}),
  }
}

async function targetOf(bmc: Redfish, { quirk }: System, system: Resource, operation: string): Promise<Resource> {
  const settings = quirk.boot?.pending ? linkAt(system.body, '@Redfish.Settings', 'SettingsObject') : undefined
  return settings === undefined ? system : bmc.get(settings, operation)
}
