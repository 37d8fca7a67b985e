import { requiredAction } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { type JsonObject, linkAt, listAt, objectAt, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

export interface Bios {
  attributes: JsonObject
  /** What will be from the next start, as far as it differs and the BMC tells. */
  pending: JsonObject
  /** Id of the registry that says what the attributes can be. */
  registry: string | undefined
}

export async function readBios(bmc: Redfish, system: System): Promise<Bios> {
  const operation = 'read BIOS settings'
  const bios = await biosOf(bmc, system, operation)
  const attributes = objectAt(bios.body, 'Attributes') ?? {}
  const settings = settingsPath(bios)
  const wanted = settings === undefined ? {} : (objectAt((await bmc.get(settings, operation)).body, 'Attributes') ?? {})
  const pending = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => attributes[key] !== value))
  return { attributes, pending, registry: textAt(bios.body, 'AttributeRegistry') }
}

/** They count from the machine's next start. */
export async function setBios(bmc: Redfish, system: System, attributes: JsonObject): Promise<void> {
  const operation = 'change BIOS settings'
  const bios = await biosOf(bmc, system, operation)
  const path = settingsPath(bios)
  const target = path === undefined ? bios : await bmc.get(path, operation)
  // Which apply times there are is the settings resource's to say; without a choice it is the next start.
  const times = listAt(bios.body, '@Redfish.Settings', 'SupportedApplyTimes')
  const when = times.includes('OnReset') ? { '@Redfish.SettingsApplyTime': { ApplyTime: 'OnReset' } } : {}
  await bmc.change(target, { Attributes: attributes, ...when }, { operation })
}

export async function resetBios(bmc: Redfish, system: System): Promise<void> {
  const operation = 'reset BIOS settings'
  const { target } = requiredAction(bmc, await biosOf(bmc, system, operation), '#Bios.ResetBios', operation)
  await bmc.send({ method: 'POST', path: target, body: {} }, { operation })
}

/** Entries of the attribute registry, by attribute name. Empty when the BMC has none. */
export async function readAttributeRegistry(bmc: Redfish, id: string): Promise<Map<string, JsonObject>> {
  const operation = 'read BIOS attribute registry'
  const files = await members(bmc, required(bmc, bmc.root, ['Registries'], operation), operation)
  const file = files.find(({ body }) => textAt(body, 'Id') === id || textAt(body, 'Registry') === id)
  const locations = listAt(file?.body, 'Location')
  const english = locations.find((each) => textAt(each, 'Language')?.startsWith('en')) ?? locations[0]
  const uri = textAt(english, 'Uri')
  if (uri === undefined) return new Map()
  const entries = listAt((await bmc.get(uri, operation)).body, 'RegistryEntries', 'Attributes')
  return new Map(
    entries.flatMap((entry) => {
      const name = textAt(entry, 'AttributeName')
      return name === undefined ? [] : [[name, entry as JsonObject]]
    }),
  )
}

/** What is wrong with these attributes, a sentence each: the BMC would refuse them all for one. */
export function checkAttributes(registry: ReadonlyMap<string, JsonObject>, wanted: JsonObject): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const entry = registry.get(name)
    if (!entry) return [`there is no BIOS attribute ${name}`]
    if (entry['ReadOnly'] === true) return [`BIOS attribute ${name} is read-only`]
    return wrongValue(name, value, entry)
  })
}

function wrongValue(name: string, value: unknown, entry: JsonObject): string[] {
  if (entry['Type'] === 'Enumeration') {
    const allowed = listAt(entry, 'Value').flatMap((each) => textAt(each, 'ValueName') ?? [])
    return allowed.includes(String(value)) ? [] : [`BIOS attribute ${name} is one of ${allowed.join(', ')}`]
  }
  if (entry['Type'] === 'Boolean') return typeof value === 'boolean' ? [] : [`BIOS attribute ${name} is true or false`]
  if (entry['Type'] !== 'Integer') return typeof value === 'string' ? [] : [`BIOS attribute ${name} is a text`]
  const { LowerBound: least, UpperBound: most } = entry
  const within =
    typeof value === 'number' &&
    (typeof least !== 'number' || value >= least) &&
    (typeof most !== 'number' || value <= most)
  return within ? [] : [`BIOS attribute ${name} is a number from ${String(least)} to ${String(most)}`]
}

async function biosOf(bmc: Redfish, system: System, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, await readSystem(bmc, system, operation), ['Bios'], operation), operation)
}

function settingsPath(bios: Resource): string | undefined {
  return linkAt(bios.body, '@Redfish.Settings', 'SettingsObject')
}
