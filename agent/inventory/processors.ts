import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { numberOf, valueOf } from './sysfs.ts'

const architectures: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' }

/** The processors, from what /proc/cpuinfo says and sysfs knows of their packages. */
export async function describeProcessors(
  cpuinfo: string,
  sysfs: string,
  arch: string,
): Promise<Record<string, unknown>> {
  const said = linesOf(cpuinfo)
  const packages = await packagesOf(join(sysfs, 'devices/system/cpu'))
  const kilohertz = await numberOf(join(sysfs, 'devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq'))
  const megahertz = kilohertz === undefined ? said.get('cpu mhz')?.[0] : String(kilohertz / 1000)
  return {
    model_name: said.get('model name')?.[0] ?? said.get('cpu model')?.[0] ?? '',
    frequency: megahertz ?? null,
    count: said.get('processor')?.length ?? packages.length,
    architecture: architectures[arch] ?? arch,
    flags: (said.get('flags') ?? said.get('features'))?.[0]?.split(/\s+/) ?? [],
    socket_count: new Set(packages).size || 1,
  }
}

/** Key (lower case) → its values in order. */
function linesOf(cpuinfo: string): Map<string, string[]> {
  const said = new Map<string, string[]>()
  for (const line of cpuinfo.split('\n')) {
    const [key, value] = line.split(/\s*:\s*/, 2)
    if (key === undefined || value === undefined) continue
    const name = key.toLowerCase()
    said.set(name, [...(said.get(name) ?? []), value.trim()])
  }
  return said
}

async function packagesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^cpu\d+$/.test(name))
  const ids = await Promise.all(names.map((name) => valueOf(join(folder, name, 'topology/physical_package_id'))))
  return ids.filter((id) => id !== undefined)
}
