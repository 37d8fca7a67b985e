import type { Redfish, Resource } from './client.ts'
import { memberPaths, required } from './collection.ts'
import { NotOffered } from './error.ts'
import { linkAt, linksAt, objectAt, textAt } from './json.ts'
import { type Quirk, standard } from './quirk.ts'
import { quirks } from './quirks/table.ts'

/** A server behind a BMC. */
export interface System {
  readonly path: string
  readonly quirk: Quirk
}

/** By its id or path; without one, the only one there is. */
export async function findSystem(bmc: Redfish, id?: string): Promise<System> {
  const operation = 'find system'
  const path = id?.startsWith('/') ? id : await pathById(bmc, id, operation)
  const resource = await bmc.get(path, operation)
  return { path, quirk: quirkOf(bmc.root, resource) }
}

/** As it is now. */
export function readSystem(bmc: Redfish, system: System, operation = 'read system'): Promise<Resource> {
  return bmc.get(system.path, operation)
}

async function pathById(bmc: Redfish, id: string | undefined, operation: string): Promise<string> {
  const collection = required(bmc, bmc.root, ['Systems'], operation)
  if (id !== undefined) return `${collection.replace(/\/$/, '')}/${encodeURIComponent(id)}`
  const paths = await memberPaths(bmc, collection, operation)
  const [only] = paths
  if (only !== undefined && paths.length === 1) return only
  const found = paths.length === 0 ? 'no system' : `${paths.length} systems (${paths.slice(0, 8).join(', ')})`
  throw new NotOffered(bmc.subject(operation), `the BMC has ${found}; say which one by its id`)
}

export function quirkOf(root: Resource, system: Resource): Quirk {
  const words = [root, system].flatMap(({ body }) => [
    ...['Vendor', 'Product', 'Manufacturer', 'Model'].map((key) => textAt(body, key) ?? ''),
    ...Object.keys(objectAt(body, 'Oem') ?? {}),
  ])
  return quirks.find(({ vendor }) => words.some((word) => vendor.test(word))) ?? standard
}

/** Paths of the managers of a system: its own, else all that the service has. */
export async function managersOf(bmc: Redfish, system: Resource, operation: string): Promise<string[]> {
  const own = linksAt(system.body, 'Links', 'ManagedBy')
  if (own.length > 0) return own
  const collection = linkAt(bmc.root.body, 'Managers')
  return collection === undefined ? [] : memberPaths(bmc, collection, operation)
}
