import { isIPv4 } from 'node:net'
import { ipv4FromText, ipv4ToBytes } from '@bloomery/wire/address.ts'
import { type BootMachine, commandLine } from './machine.ts'

const FOLDER = 'pxelinux.cfg/'

/**
 * Whether this is the file of this client, of those that U-Boot's `pxe get` tries as SYSLINUX's PXELINUX does: `01-MAC`, or its address in
 * hexadecimal (U-Boot, doc/README.pxe).
 */
export function isConfigurationOf(name: string, mac: string, address: string | undefined): boolean {
  if (!name.startsWith(FOLDER)) return false
  const file = name.slice(FOLDER.length).toLowerCase()
  if (file === `01-${mac.replaceAll(':', '-')}`) return true
  return (
    address !== undefined && isIPv4(address) && file === Buffer.from(ipv4ToBytes(ipv4FromText(address))).toString('hex')
  )
}

/** What `pxe boot` reads. A word that it doesn't know ends a label. It replaces `${…}` and `$(…)` in the
 * arguments, and takes quotes and backslashes for its own. */
export function syslinuxConfig(machine: BootMachine, mac: string, token: string): string {
  const cmdline = commandLine(machine, token)
  if (!/^[\x20-\x7e]*$/.test(cmdline) || /[$'"\\]/.test(cmdline))
    throw new Error(
      `kernel arguments of node ${machine.node} can't be told to U-Boot: printable ASCII without $ ' " \\`,
    )
  return `default ramdisk
prompt 0
label ramdisk
  kernel /boot/${token}/kernel
  initrd /boot/${token}/initrd
  append ${`BOOTIF=01-${mac.replaceAll(':', '-')} ${cmdline}`.trim()}
`
}
