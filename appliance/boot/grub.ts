import { type BootMachine, commandLine } from './machine.ts'

/** Where Debian's signed network GRUB looks for its configuration: its prefix is built in. */
export const GRUB_CONFIG = 'grub/grub.cfg'

/**
 * GRUB runs what it reads, so each kernel argument stands in single quotes, within which nothing has a meaning (GRUB manual, "Quoting").
 * Kernel and ramdisk come the way that GRUB itself came, at paths that carry the token of this boot.
 */
export function grubScript(machine: BootMachine, mac: string, token: string): string {
  const cmdline = commandLine(machine, token)
  if (!/^[\x20-\x7e]*$/.test(cmdline) || cmdline.includes("'"))
    throw new Error(`kernel arguments of node ${machine.node} can't be told to GRUB: printable ASCII without ' only`)
  const words = [`BOOTIF=01-${mac.replaceAll(':', '-')}`, ...cmdline.split(' ').filter((word) => word !== '')]
  return `set timeout=0
echo 'Node ${machine.node}, plan generation ${machine.generation}'
if linux /boot/${token}/kernel ${words.map((word) => `'${word}'`).join(' ')}; then
  if initrd /boot/${token}/initrd; then
    boot
  fi
fi
echo 'This boot failed; restarting in 10 s'
sleep 10
reboot
`
}

/** For a machine of which not even the processor is known; GRUB knows what it was built for. */
export function grubScriptByProcessor(x86: string, arm64: string): string {
  return `if [ "$grub_cpu" = arm64 ]; then\n${arm64}else\n${x86}fi\n`
}

/** `boot/TOKEN/kernel`, as `grubScript` names it. */
export function bootPath(name: string): { token: string; part: 'kernel' | 'initrd' } | undefined {
  const [, token, part] = /^boot\/([^/]{1,256})\/(kernel|initrd)$/.exec(name) ?? []
  return token === undefined ? undefined : { token, part: part as 'kernel' | 'initrd' }
}
