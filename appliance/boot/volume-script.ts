import type { BootVolume } from '../../contract/boot-volume.ts'
import type { BootMachine } from './machine.ts'

const TRIES = 5

/**
 * Boots from an iSCSI disk, which iPXE's own initiator hooks in as the first one: by INT 13h, or as a block device of UEFI's. What it logged in
 * with goes on to the system by the iBFT (ACPI's iSCSI Boot Firmware Table). All words are of alphabets that iPXE doesn't interpret
 * (contract/boot-volume.ts).
 */
export function volumeScript(
  { node, generation }: Pick<BootMachine, 'node' | 'generation'>,
  { initiator, portal, iqn, lun, chap }: BootVolume,
  secret: string | undefined,
): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(portal) ?? []
  const words = chap ? `set username ${chap.user}\nset password ${secret ?? ''}\n` : ''
  return `#!ipxe
echo Node ${node}, plan generation ${generation}
set initiator-iqn ${initiator}
${words}set try:int32 0
:again
inc try
sanboot --drive 0x80 iscsi:${host}::${port}:${lun.toString(16)}:${iqn} || goto failed
:failed
echo Attempt \${try} of ${TRIES} failed
sleep 5
iseq \${try} ${TRIES} || goto again
reboot
`
}
