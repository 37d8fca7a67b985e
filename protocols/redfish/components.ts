import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { linkAt, linksAt, textAt } from './json.ts'
import { managersOf, readSystem, type System } from './system.ts'

/** A part with firmware of its own, and its version. */
export interface Component {
  /** `bios`, `bmc`, `nic:<id>`. */
  name: string
  version: string | undefined
  vendor: string | undefined
  model: string | undefined
  serial: string | undefined
}

/** What runs now, told by the parts themselves: the update service's inventory has other words at every vendor. */
export async function readComponents(bmc: Redfish, system: System): Promise<Component[]> {
  const operation = 'read firmware versions'
  const own = await readSystem(bmc, system, operation)
  const { body } = own
  const found: Component[] = []
  const bios = textAt(body, 'BiosVersion')
  if (bios !== undefined)
    found.push({
      name: 'bios',
      version: bios,
      vendor: textAt(body, 'Manufacturer'),
      model: undefined,
      serial: undefined,
    })
  const [manager] = await managersOf(bmc, own, operation)
  if (manager !== undefined) {
    const { body: of } = await bmc.get(manager, operation)
    found.push({
      name: 'bmc',
      version: textAt(of, 'FirmwareVersion'),
      vendor: textAt(of, 'Manufacturer'),
      model: textAt(of, 'Model'),
      serial: textAt(of, 'SerialNumber'),
    })
  }
  for (const path of linksAt(body, 'Links', 'Chassis')) {
    const adapters = linkAt((await bmc.get(path, operation)).body, 'NetworkAdapters')
    for (const { body: of } of adapters === undefined ? [] : await members(bmc, adapters, operation))
      found.push({
        name: `nic:${textAt(of, 'Id') ?? found.length}`,
        version: adapterVersion(of),
        vendor: textAt(of, 'Manufacturer'),
        model: textAt(of, 'Model'),
        serial: textAt(of, 'SerialNumber'),
      })
  }
  return found
}

function adapterVersion(body: unknown): string | undefined {
  const controllers = (body as { Controllers?: unknown }).Controllers
  return Array.isArray(controllers) ? textAt(controllers[0], 'FirmwarePackageVersion') : undefined
}
