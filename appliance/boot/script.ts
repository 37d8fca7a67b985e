import { ISO } from './boot-part.ts'
import { type BootMachine, bootsIso, commandLine } from './machine.ts'

const TRIES = 5

/**
 * iPXE runs what it reads: `${…}` is replaced and `||`, `&&` part commands, so arguments that hold them, or a line's end, would
 * become commands. Its relative names are relative to the script's own URL, which carries the token.
 */
export function ramdiskScript(machine: BootMachine, mac: string, token: string): string {
  const cmdline = commandLine(machine, token)
  if (!/^[\x20-\x7e]*$/.test(cmdline) || /\$\{|(^|\s)(\|\||&&)(\s|$)/.test(cmdline))
    throw new Error(`kernel arguments of node ${machine.node} hold what iPXE would run: no \${, ||, && or line ends`)
  // EFI kernels find the initrd by this name; BOOTIF as pxelinux gives it: ARP type, then the MAC.
  const argumentsOfKernel = `initrd=initrd BOOTIF=01-${mac.replaceAll(':', '-')} ${cmdline}`.trim()
  return `#!ipxe
echo Node ${machine.node}, plan generation ${machine.generation}
set try:int32 0
:again
inc try
imgfree
${bootsIso(machine) ? startIso : startKernel(argumentsOfKernel)}
:failed
echo Attempt \${try} of ${TRIES} failed
sleep 5
iseq \${try} ${TRIES} || goto again
reboot
`
}

const startIso = `sanboot ${ISO} || goto failed`

const startKernel = (words: string): string => `kernel --name kernel kernel ${words} || goto failed
initrd --name initrd initrd || goto failed
boot || goto failed`

/**
 * Gives the machine back to its firmware. It must end as a failure: after a boot option that succeeded, UEFI stops at its menu
 * instead of going on to the next one (UEFI 2.10 §3.1.1).
 */
export const localScript = `#!ipxe
echo Booting from disk
exit 1
`
