import type { BootVolume } from '../../contract/boot-volume.ts'
import type { BootMachine } from './machine.ts'

const TRIES = 5
const FIRST_DRIVE = 0x80

/**
 * iPXE's own initiator hooks iSCSI disks in: by INT 13h, or as block devices of UEFI's. The first is booted from; where all are data, the machine's
 * own disk is, with or without them. What iPXE logged in with goes on to the system by the iBFT (ACPI's iSCSI Boot Firmware Table). All words are of
 * alphabets that iPXE doesn't interpret (contract/boot-volume.ts).
 */
export function volumeScript(
  { node, generation }: Pick<BootMachine, 'node' | 'generation'>,
  { boot, data }: { boot?: BootVolume; data: readonly BootVolume[] },
  secrets: ReadonlyMap<string, string> | undefined,
): string {
  const first = boot ? FIRST_DRIVE : FIRST_DRIVE + 1
  const volumes = [...(boot ? [boot] : []), ...data]
  const drives = volumes.map((volume, index) => ({ volume, drive: `0x${(first + index).toString(16)}` }))
  return `#!ipxe
echo Node ${node}, plan generation ${generation}
set initiator-iqn ${volumes[0]?.initiator ?? ''}
set try:int32 0
:again
inc try
${drives.map(({ drive }) => `sanunhook --drive ${drive} ||\n`).join('')}${drives
    .map(({ volume, drive }) => hooked(volume, drive, secrets?.get(volume.iqn)))
    .join('')}${boot ? `sanboot --no-describe --drive ${drives[0]?.drive} || goto failed` : 'goto own'}
:failed
echo Attempt \${try} of ${TRIES} failed
sleep 5
iseq \${try} ${TRIES} || goto again
${boot ? 'reboot' : `:own\necho Booting from disk\nsanboot --no-describe --drive 0x${FIRST_DRIVE.toString(16)}\nexit 1`}
`
}

/** What was said for the one before is said anew, so that no secret goes to a target that it is not for. */
function hooked({ portal, iqn, lun, chap }: BootVolume, drive: string, secret: string | undefined): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(portal) ?? []
  const words = chap ? `set username ${chap.user}\nset password ${secret ?? ''}\n` : 'clear username\nclear password\n'
  return `${words}sanhook --drive ${drive} iscsi:${host}::${port}:${lun.toString(16)}:${iqn} || goto failed\n`
}
