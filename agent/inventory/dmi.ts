import { join } from 'node:path'
import { valueOf } from './sysfs.ts'

/** What firmware says of its machine (Documentation/ABI/testing/sysfs-firmware-dmi-tables), by dmidecode's sections. */
const sections = {
  bios: ['vendor', 'version', 'date', 'release'],
  system: ['vendor', 'name', 'version', 'serial', 'uuid', 'sku', 'family'],
  baseboard: ['vendor', 'name', 'version', 'serial', 'asset_tag'],
  chassis: ['vendor', 'type', 'version', 'serial', 'asset_tag'],
} as const
const prefixes = { bios: 'bios', system: 'product', baseboard: 'board', chassis: 'chassis' } as const

type Section = keyof typeof sections

/** As plugin data of an inspection; what the machine doesn't say is left out. */
export async function dmiFacts(sysfs: string): Promise<Record<string, Record<string, string>>> {
  const all = (Object.keys(sections) as Section[]).map(async (section) => {
    const values = sections[section].map(async (name) => {
      const value = await valueOf(fileOf(sysfs, section, name))
      return value === undefined ? [] : [[name, value] as const]
    })
    return [section, Object.fromEntries((await Promise.all(values)).flat())] as const
  })
  return Object.fromEntries((await Promise.all(all)).filter(([, facts]) => Object.keys(facts).length > 0))
}

/** The kernel calls the vendor of the system `sys_vendor`. */
function fileOf(sysfs: string, section: Section, name: string): string {
  const prefix = section === 'system' && name === 'vendor' ? 'sys' : prefixes[section]
  return join(sysfs, 'class/dmi/id', `${prefix}_${name}`)
}

/** The version of the TPM specification that the machine's TPM is of. Undefined: it has none that its kernel knows. */
export async function tpmFacts(sysfs: string): Promise<{ version: string } | undefined> {
  const version = await valueOf(join(sysfs, 'class/tpm/tpm0/tpm_version_major'))
  return version === undefined ? undefined : { version }
}
