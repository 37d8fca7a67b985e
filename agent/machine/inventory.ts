import { cpus, hostname, totalmem } from 'node:os'
import type { Disk } from '../disks/disk.ts'
import type { NetworkInterface } from './network.ts'

const architectures: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' }

/** What the server consists of, under the keys of ironic-python-agent's inventory. */
export function describeMachine(
  disks: readonly Disk[],
  interfaces: readonly NetworkInterface[],
  bootMac: string | undefined,
  uefi: boolean,
): Record<string, unknown> {
  const processors = cpus()
  return {
    interfaces: interfaces.map(({ name, mac, carrier }) => ({ name, mac_address: mac, has_carrier: carrier })),
    disks: disks.map(({ sector, ...disk }) => ({ ...disk, logical_sectors: sector })),
    cpu: {
      model_name: processors[0]?.model ?? '',
      count: processors.length,
      architecture: architectures[process.arch] ?? process.arch,
    },
    memory: { total: totalmem(), physical_mb: Math.floor(totalmem() / 1024 / 1024) },
    boot: { current_boot_mode: uefi ? 'uefi' : 'bios', pxe_interface: bootMac ?? null },
    hostname: hostname(),
  }
}
