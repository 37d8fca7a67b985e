import { join } from 'node:path'

/** What the machine's flash or ROM holds. Firmware of Debian's packages: seabios and ipxe-qemu, ovmf, qemu-efi-aarch64, u-boot-qemu. */
export type FirmwareName = 'seabios' | 'ovmf' | 'ovmf-secure' | 'aavmf' | 'aavmf-secure' | 'uboot'
type Uefi = Exclude<FirmwareName, 'seabios' | 'uboot'>
/** What it is let try. */
export type Asking = 'pxe4' | 'pxe6' | 'http4' | 'http6' | 'https4' | 'pxelinux'

export interface MachineParts {
  dir: string
  mac: string
  firmware: FirmwareName
  asking: Asking
}

/** The variables that firmware starts with; Microsoft's keys are enrolled in those of Secure Boot. */
export const blankVariables: Partial<Record<FirmwareName, string>> = {
  ovmf: '/usr/share/OVMF/OVMF_VARS_4M.fd',
  'ovmf-secure': '/usr/share/OVMF/OVMF_VARS_4M.ms.fd',
  aavmf: '/usr/share/AAVMF/AAVMF_VARS.fd',
  'aavmf-secure': '/usr/share/AAVMF/AAVMF_VARS.ms.fd',
}

export function qemuArgv({ dir, mac, firmware, asking }: MachineParts): string[] {
  // A BIOS boots from the network by the card's ROM, which is iPXE; UEFI has a network stack of its own.
  const rom = firmware === 'seabios' ? '' : ',romfile='
  return [
    [isArm(firmware) ? 'qemu-system-aarch64' : 'qemu-system-x86_64'],
    ['-nodefaults', '-display', 'none', '-no-reboot', '-accel', 'tcg,thread=multi'],
    ...machine[firmware],
    ...(firmware === 'seabios' || firmware === 'uboot' ? [] : flash(dir, firmware, asking)),
    asking === 'pxelinux' ? ['-drive', `if=pflash,format=raw,unit=1,file=${join(dir, 'variables.fd')}`] : [],
    ['-netdev', 'tap,id=net0,ifname=tap0,script=no,downscript=no'],
    ['-device', `virtio-net-pci,netdev=net0,mac=${mac},bootindex=0${rom}`],
    ['-device', 'virtio-rng-pci'],
    ['-serial', `file:${join(dir, 'serial.log')}`],
  ].flat()
}

export function isArm(firmware: FirmwareName): boolean {
  return firmware.startsWith('aavmf') || firmware === 'uboot'
}

/** OVMF with Secure Boot keeps its variables behind system management mode: QEMU's docs/system/i386, edk2's OvmfPkg README. */
const machine: Record<FirmwareName, string[][]> = {
  seabios: [['-machine', 'q35,graphics=off', '-cpu', 'Nehalem', '-m', '768']],
  ovmf: [['-machine', 'q35,smm=off', '-cpu', 'Nehalem', '-m', '768']],
  'ovmf-secure': [
    ['-machine', 'q35,smm=on', '-cpu', 'Nehalem', '-m', '768'],
    ['-global', 'driver=cfi.pflash01,property=secure,value=on'],
  ],
  aavmf: [['-machine', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '1024']],
  'aavmf-secure': [['-machine', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '1024']],
  uboot: [
    ['-machine', 'virt', '-cpu', 'cortex-a57', '-m', '1024'],
    ['-bios', '/usr/lib/u-boot/qemu_arm64/u-boot.bin'],
  ],
}

const code: Record<Uefi, string> = {
  ovmf: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  'ovmf-secure': '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
  aavmf: '/usr/share/AAVMF/AAVMF_CODE.fd',
  'aavmf-secure': '/usr/share/AAVMF/AAVMF_CODE.ms.fd',
}

/** PXE of an IP version is turned off by edk2's knobs; with both off it goes straight on to HTTP boot, which has none. */
function flash(dir: string, firmware: Uefi, asking: Asking): string[][] {
  const pxe = (version: 4 | 6): string =>
    `name=opt/org.tianocore/IPv${version}PXESupport,string=${asking === `pxe${version}` ? 'yes' : 'no'}`
  return [
    ['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${code[firmware]}`],
    ['-drive', `if=pflash,format=raw,unit=1,file=${join(dir, 'variables.fd')}`],
    ['-fw_cfg', pxe(4)],
    ['-fw_cfg', pxe(6)],
    asking === 'https4' ? ['-fw_cfg', `name=etc/edk2/https/cacerts,file=${join(dir, 'authorities.esl')}`] : [],
  ]
}
