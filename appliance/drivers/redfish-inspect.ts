import { readBootMode } from '@bloomery/redfish/boot-mode.ts'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { NotOffered } from '@bloomery/redfish/error.ts'
import { readInventory } from '@bloomery/redfish/inventory.ts'
import { readStorage } from '@bloomery/redfish/storage.ts'
import type { System } from '@bloomery/redfish/system.ts'

/** Of processor architectures, Ironic's names. */
const architectures: Readonly<Record<string, string>> = {
  'x86-64': 'x86_64',
  x86: 'x86_64',
  ARM: 'aarch64',
  'ARM-A64': 'aarch64',
}
const MOST = 64

/** What a machine is, out of band, in the words that ironic-python-agent has for it; what the BMC doesn't tell is left out. */
export async function inspectRedfish(bmc: Redfish, system: System): Promise<Record<string, unknown>> {
  const { processors, memoryGiB, nics, trustedModules, ...of } = await readInventory(bmc, system)
  const cpus = processors.filter(({ type }) => type === undefined || type === 'CPU')
  const gpus = processors.filter(({ type }) => type === 'GPU')
  const threads = cpus.reduce((sum, { threads, cores }) => sum + (threads ?? cores ?? 1), 0)
  const [first] = cpus
  const mode = await offered(() => readBootMode(bmc, system))
  const drives = ((await offered(() => readStorage(bmc, system))) ?? []).flatMap((controller) => controller.drives)
  const architecture = architectures[first?.architecture ?? '']
  return {
    cpu: {
      ...(threads > 0 ? { count: threads } : {}),
      ...(architecture === undefined ? {} : { architecture }),
      model_name: first?.model ?? '',
      frequency: String(first?.maxMHz ?? ''),
      flags: [],
    },
    memory: memoryGiB === undefined ? {} : { total: memoryGiB * 2 ** 30, physical_mb: Math.round(memoryGiB * 1024) },
    disks: drives.slice(0, MOST).map(({ name, model, serial, capacityBytes, media }) => ({
      name: name ?? '',
      model: model ?? '',
      serial: serial ?? null,
      ...(capacityBytes === undefined ? {} : { size: capacityBytes }),
      rotational: media === 'HDD',
    })),
    interfaces: nics.slice(0, MOST).map(({ id, mac, link, speedMbps }) => ({
      name: id,
      mac_address: mac,
      has_carrier: link === undefined ? null : link === 'LinkUp',
      speed_mbps: speedMbps ?? null,
    })),
    gpus: gpus.slice(0, MOST).map(({ model }) => ({ model: model ?? '' })),
    tpm: trustedModules.map((version) => ({ version })),
    system_vendor: {
      product_name: of.model ?? '',
      serial_number: of.serial ?? '',
      manufacturer: of.manufacturer ?? '',
      firmware: { version: of.biosVersion ?? '' },
    },
    boot: mode === undefined ? {} : { current_boot_mode: mode === 'UEFI' ? 'uefi' : 'bios', pxe_interface: null },
  }
}

async function offered<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof NotOffered) return undefined
    throw error
  }
}
