import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'

export type BootMode = 'uefi' | 'bios'
const DEFAULT: BootMode = 'uefi'

/** How the machine's firmware shall boot (reference §3.6): what the instance wants comes before what the machine is said to be, and
 * the two must not contradict each other. */
export function bootMode({
  instance_info: instance,
  properties,
}: Pick<Node, 'instance_info' | 'properties'>): BootMode {
  const wanted = capabilities(instance['capabilities'])
  const own = mode(capabilities(properties['capabilities'])['boot_mode'])
  const asked =
    wanted['secure_boot'] === 'true' ? 'uefi' : (mode(wanted['boot_mode']) ?? mode(instance['deploy_boot_mode']))
  if (asked && own && asked !== own)
    throw new UserError(400, `The instance wants boot mode ${asked}, but the node's properties say ${own}.`)
  return asked ?? own ?? DEFAULT
}

function mode(value: unknown): BootMode | undefined {
  if (value === undefined || value === null) return undefined
  if (value === 'uefi' || value === 'bios') return value
  throw new UserError(400, `Boot mode ${JSON.stringify(value)} is neither uefi nor bios.`)
}

/** `k1:v1,k2:v2`, or an object, or an object as JSON text. */
export function capabilities(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null || value === '') return {}
  const found = typeof value === 'string' ? fromText(value) : value
  if (typeof found === 'object' && found !== null && !Array.isArray(found))
    return Object.fromEntries(Object.entries(found).map(([key, each]) => [key, plain(each)]))
  throw new UserError(400, "Capabilities are 'key:value,key:value' or an object.")
}

function fromText(text: string): unknown {
  if (text.trim().startsWith('{')) return jsonOf(text)
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key, value] = pair.split(':').map((each) => each.trim())
      if (!key || value === undefined) throw new UserError(400, `Capability '${pair}' is not of the form key:value.`)
      return [key, value]
    }),
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function plain(value: unknown): unknown {
  return typeof value === 'boolean' ? String(value) : typeof value === 'string' ? value.toLowerCase() : value
}
