import type { Node } from '../../../contract/resources.ts'
import type { Found } from '../found.ts'
import type { Hook } from './hook.ts'

const GIB = 1024 ** 3
type Properties = Node['properties']

function withProperties(node: Node, told: Properties): Node {
  return { ...node, properties: { ...node.properties, ...told } }
}

/** `k1:v1,k2:v2`: what is told replaces what was there, others stay. */
export function withCapabilities(node: Node, told: Record<string, string>): Node {
  const text = node.properties['capabilities']
  const before = typeof text === 'string' ? text.split(',').map((each) => each.trim()) : []
  const others = before.filter((each) => each !== '' && !Object.hasOwn(told, each.split(':')[0]!.trim()))
  const all = [...others, ...Object.entries(told).map(([name, value]) => `${name}:${value}`)]
  return all.length === 0 ? node : withProperties(node, { capabilities: all.join(',') })
}

export const architecture: Hook = {
  node: (node, { found: { cpu } }) =>
    cpu.architecture === undefined ? node : withProperties(node, { cpu_arch: cpu.architecture }),
}

export const cpus: Hook = {
  node: (node, { found: { cpu } }) => (cpu.count === undefined ? node : withProperties(node, { cpus: cpu.count })),
}

export const memory: Hook = {
  node: (node, { found: { memory: found } }) =>
    found.physical_mb === undefined ? node : withProperties(node, { memory_mb: found.physical_mb }),
}

export const bootMode: Hook = {
  node: (node, { found: { boot } }) =>
    boot.current_boot_mode === undefined ? node : withCapabilities(node, { boot_mode: boot.current_boot_mode }),
}

export const cpuCapabilities: Hook = {
  node(node, { found: { cpu }, options }) {
    const flags = new Set(cpu.flags ?? [])
    const meant = Object.entries(options.inspection_cpu_capabilities).filter(([flag]) => flags.has(flag))
    return withCapabilities(node, Object.fromEntries(meant.map(([, capability]) => [capability, 'true'])))
  },
}

/** The disk that the ramdisk would deploy to, else the largest. */
export const rootDevice: Hook = {
  node(node, { found, plugin_data, options }) {
    const size = sizeOfRoot(found, plugin_data)
    if (size < GIB) return node
    const spacing = options.inspection_disk_partitioning_spacing ? 1 : 0
    return withProperties(node, { local_gb: Math.floor(size / GIB) - spacing })
  },
}

function sizeOfRoot({ disks }: Found, { root_disk: root }: Record<string, unknown>): number {
  const told = typeof root === 'object' && root !== null ? (root as { name?: unknown; size?: unknown }) : {}
  if (typeof told.size === 'number' && told.size > 0) return told.size
  const named = disks.find(({ name }) => typeof name === 'string' && name === told.name)
  return named?.size ?? Math.max(0, ...disks.map(({ size }) => size))
}

/**
 * Hardware RAID shows its new volume as one more disk: when exactly one has come since the inspection before, that is where the system
 * shall go.
 */
export const raidDevice: Hook = {
  node(node, { found: { disks } }) {
    const serials = disks.flatMap(({ serial }) => (serial ? [serial] : []))
    const before = serialsBefore(node.extra)
    const fresh = before ? serials.filter((serial) => !before.includes(serial)) : []
    const extra = { ...node.extra, block_devices: { serials } }
    const [serial] = fresh
    return fresh.length === 1 && serial !== undefined
      ? withProperties({ ...node, extra }, { root_device: { serial } })
      : { ...node, extra }
  },
}

function serialsBefore(extra: Node['extra']): string[] | undefined {
  const { serials } = (extra['block_devices'] ?? {}) as { serials?: unknown }
  return Array.isArray(serials) ? serials.filter((each) => typeof each === 'string') : undefined
}
