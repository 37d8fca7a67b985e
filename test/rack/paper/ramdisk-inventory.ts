import type { PaperMachine } from './machine.ts'

/** What a ramdisk finds in a paper machine. */
export function inventoryOf({ mac, name, bmcAddress }: PaperMachine): Record<string, unknown> {
  return {
    cpu: { model_name: 'paper', count: 4, architecture: 'x86_64' },
    memory: { total: 8 * 1024 ** 3, physical_mb: 8192 },
    boot: { current_boot_mode: 'uefi', pxe_interface: mac },
    disks: [{ name: '/dev/sda', size: 100 * 1024 ** 3 }],
    interfaces: [
      { name: 'eth0', mac_address: mac, has_carrier: true },
      { name: 'eth1', mac_address: mac.replace(/^52/, '56'), has_carrier: false },
    ],
    hostname: name,
    ...(bmcAddress !== undefined && { bmc_address: bmcAddress }),
  }
}
