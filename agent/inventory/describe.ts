import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces, totalmem } from 'node:os'
import { join } from 'node:path'
import type { BmcPlace } from '../bmc/lan.ts'
import type { Disk } from '../disks/disk.ts'
import type { NetworkInterface } from '../machine/network.ts'
import { describeCard } from './cards.ts'
import { describeProcessors } from './processors.ts'
import { memoryMebibytes, parseSmbios, systemVendor } from './smbios.ts'

export interface Surroundings {
  disks: readonly Disk[]
  interfaces: readonly NetworkInterface[]
  bootMac: string | undefined
  uefi: boolean
  /** Undefined: the kernel knows of none. */
  bmc?: BmcPlace | undefined
}

/** What the server consists of, under the keys of ironic-python-agent's inventory (reference §6.9). */
export async function describeMachine(
  { disks, interfaces, bootMac, uefi, bmc }: Surroundings,
  sysfs = '/sys',
  proc = '/proc',
): Promise<Record<string, unknown>> {
  const smbios = parseSmbios(await readFile(join(sysfs, 'firmware/dmi/tables/DMI')).catch(() => Buffer.alloc(0)))
  const cpuinfo = await readFile(join(proc, 'cpuinfo'), 'utf8').catch(() => '')
  const addresses = networkInterfaces()
  return {
    interfaces: await Promise.all(interfaces.map((each) => describeCard(each, addresses, sysfs))),
    disks: disks.map(({ sector, discards: _discards, ...disk }) => ({ ...disk, logical_sectors: sector })),
    cpu: await describeProcessors(cpuinfo, sysfs, process.arch),
    // What the kernel leaves over is less than what people bought: that the firmware knows.
    memory: { total: totalmem(), physical_mb: memoryMebibytes(smbios) ?? Math.floor(totalmem() / 1024 / 1024) },
    boot: { current_boot_mode: uefi ? 'uefi' : 'bios', pxe_interface: bootMac ?? null },
    hostname: hostname(),
    ...bmc,
    system_vendor: systemVendor(smbios) ?? { product_name: '', serial_number: '', manufacturer: '' },
  }
}
