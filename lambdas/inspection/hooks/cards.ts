import { z } from 'zod'
import type { Finding, Hook } from './hook.ts'
import { withCapabilities } from './properties.ts'

/** Cards of PCI, as the collector `pci-devices` tells them. */
const devices = z
  .array(
    z
      .object({
        vendor_id: z.string().max(8).toLowerCase(),
        product_id: z.string().max(8).toLowerCase(),
        bus: z.string().max(32).nullish().catch(null),
      })
      .nullable()
      .catch(null),
  )
  .max(4096)
  .catch([])

function devicesOf({ plugin_data }: Finding) {
  return devices.parse(plugin_data['pci_devices'] ?? []).filter((each) => each !== null)
}

export const pciDevices: Hook = {
  node(node, finding) {
    const aliases = finding.options.inspection_pci_device_alias
    const counts = new Map<string, number>()
    for (const { vendor_id, product_id } of devicesOf(finding))
      for (const alias of aliases)
        if (alias.vendor_id === vendor_id && alias.product_id === product_id)
          counts.set(alias.name, (counts.get(alias.name) ?? 0) + 1)
    return withCapabilities(node, Object.fromEntries([...counts].map(([name, count]) => [name, String(count)])))
  },
}

export const accelerators: Hook = {
  node(node, finding) {
    const known = finding.options.inspection_known_accelerators
    const found = devicesOf(finding).flatMap(({ vendor_id, product_id, bus }) => {
      const kind = known.find((each) => each.vendor_id === vendor_id && each.device_id === product_id)
      return kind ? [{ ...kind, ...(bus && { pci_address: bus }) }] : []
    })
    return found.length === 0 ? node : { ...node, properties: { ...node.properties, accelerators: found } }
  },
}

const scalar = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()])
const facts = z
  .array(
    z
      .tuple([z.string().max(255), z.string().max(255), z.string().max(255), scalar])
      .nullable()
      .catch(null),
  )
  .max(10_000)
  .catch([])

/** What the `extra-hardware` collector tells as a list of [kind, which, key, value] becomes an object of objects. */
export const extraHardware: Hook = {
  plugin_data({ plugin_data }) {
    const told = facts.parse(plugin_data['data'] ?? []).filter((each) => each !== null)
    if (told.length === 0) return {}
    const kinds = new Map<string, Map<string, [string, unknown][]>>()
    for (const [kind, which, key, value] of told) {
      const things = kinds.get(kind) ?? new Map<string, [string, unknown][]>()
      kinds.set(kind, things.set(which, [...(things.get(which) ?? []), [key, value]]))
    }
    const extra = [...kinds].map(([kind, things]) => {
      const each = [...things].map(([which, entries]) => [which, Object.fromEntries(entries)] as const)
      return [kind, Object.fromEntries(each)] as const
    })
    return { extra: Object.fromEntries(extra) }
  },
}
