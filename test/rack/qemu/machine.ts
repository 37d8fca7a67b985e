import { createHash } from 'node:crypto'
import { join } from 'node:path'

export type ServerSpec = {
  name: string
  firmware: 'bios' | 'uefi'
  diskMiB: number
  /** Of that size each, on a SCSI controller; without it there is one virtio disk. */
  scsiDisks?: number
  /** IPMI unless told otherwise. */
  bmc?: 'ipmi' | 'redfish'
  memoryMiB?: number
  mac?: string
  /** What is in the CD drive is started by firmware that enforces Secure Boot. */
  secureMedia?: boolean
}

/** Where a server's files lie and what it is plugged into. */
export type MachineParts = { spec: ServerSpec; dir: string; mac: string; tap: string }

/** The boot devices that a BMC can choose between; `default` is the disk in IPMI's words to ipmi_sim's chassis. */
export const bootDevices = ['none', 'pxe', 'default', 'cdrom', 'http'] as const
export type BootDevice = (typeof bootDevices)[number]

/** What the BMC has put into the CD drive; empty when there is nothing in. */
export const CD_IMAGE = 'cdrom.iso'
/** Its serial port, while it is on. */
export const SERIAL_SOCKET = 'serial.sock'

/** Each has its variables in a file of its own, which begins as Debian ships it; Microsoft's keys are in those of Secure Boot. */
export const firmwares = {
  plain: {
    code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    blank: '/usr/share/OVMF/OVMF_VARS_4M.fd',
    variables: 'uefi-variables.fd',
  },
  secure: {
    code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
    blank: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd',
    variables: 'uefi-secure-variables.fd',
  },
  /** Its BMC says what to fetch, in a variable. */
  http: {
    code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    blank: '/usr/share/OVMF/OVMF_VARS_4M.fd',
    variables: 'uefi-http-variables.fd',
  },
} as const
export type Firmware = keyof typeof firmwares

/** The same server has the same SMBIOS UUID in every run. */
export function machineUuid(name: string): string {
  const hex = createHash('sha256').update(`bloomery rack ${name}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** First network then disk, or the other way round; with an explicit `default` (disk) the network is not tried at all. */
const bootOrder: Record<BootDevice, { disk: string; nic: string }> = {
  pxe: { nic: ',bootindex=0', disk: ',bootindex=1' },
  default: { nic: '', disk: ',bootindex=0' },
  none: { nic: ',bootindex=1', disk: ',bootindex=0' },
  cdrom: { nic: '', disk: ',bootindex=1' },
  http: { nic: '', disk: '' },
}

/** QEMU's arguments for one power-on of a server. Firmware doesn't run under nested KVM everywhere, so it is always TCG. */
export function qemuArguments({ spec, dir, mac, tap }: MachineParts, boot: BootDevice): string[] {
  const order = bootOrder[boot]
  const firmware = firmwareOf(spec, boot)
  return [
    ['-name', spec.name],
    ['-uuid', machineUuid(spec.name)],
    ['-nodefaults'],
    ['-machine', `q35,graphics=off${firmware === 'secure' ? ',smm=on' : ''}`], // SeaBIOS then speaks on the serial port
    ['-accel', 'tcg,thread=multi'],
    ['-cpu', 'Nehalem,+rdrand'], // x86-64-v2; under TCG a Linux boot costs 20 % more with every feature on (`max`)
    ['-m', `${spec.memoryMiB ?? 768}`],
    ['-display', 'none'],
    // A boot option in firmware's own variables counts only where QEMU names none.
    ...(boot === 'http' ? [] : [['-boot', 'strict=on']]),
    ['-chardev', serialPort(dir)],
    ['-serial', 'chardev:serial0'],
    ['-chardev', `pipe,id=monitor0,path=${dir}/monitor`],
    ['-mon', 'chardev=monitor0,mode=readline'],
    ['-netdev', `tap,id=net0,ifname=${tap},script=no,downscript=no`],
    ['-device', `virtio-net-pci,id=nic0,netdev=net0,mac=${mac}${order.nic}${optionRom(spec, boot)}`],
    ...(spec.scsiDisks ? scsiDisks(spec, dir, order.disk) : virtioDisk(spec, dir, order.disk)),
    ...(boot === 'cdrom' ? cdDrive(dir) : []),
    ['-device', 'virtio-rng-pci'], // a ramdisk with no entropy waits for minutes
    ...(firmware ? uefi(dir, firmware) : []),
    ['-pidfile', `${dir}/pid`],
    ['-daemonize'],
  ].flat()
}

const drive = (dir: string, index: number): string =>
  `if=none,id=drive${index},file=${join(dir, diskFile(index))},format=raw,cache=unsafe,discard=unmap`

/** Of a server's disks the first is the one that it boots from. */
export function diskFile(index: number): string {
  return index === 0 ? 'disk.raw' : `disk${index}.raw`
}

function virtioDisk({ name }: ServerSpec, dir: string, order: string): string[][] {
  return [
    ['-drive', drive(dir, 0)],
    ['-device', `virtio-blk-pci,id=disk0,drive=drive0,serial=${name}-disk0${order}`],
  ]
}

/** Firmware tries one after the other. Zeros, as arrays write them when they begin, take no room. */
function scsiDisks({ name, scsiDisks: count = 0 }: ServerSpec, dir: string, order: string): string[][] {
  const first = /\d+$/.exec(order)?.[0]
  const disks = Array.from({ length: count }, (_, index) => {
    const place = first === undefined ? '' : `,bootindex=${Number(first) + index * 2}`
    return [
      ['-drive', `${drive(dir, index)},detect-zeroes=unmap`],
      ['-device', `scsi-hd,bus=scsi0.0,id=disk${index},drive=drive${index},serial=${name}-disk${index}${place}`],
    ]
  })
  return [['-device', 'virtio-scsi-pci,id=scsi0'], ...disks.flat()]
}

/** Where a BMC finds it for serial over LAN; all that comes out of it is also in a file. */
function serialPort(dir: string): string {
  const socket = `socket,id=serial0,path=${join(dir, SERIAL_SOCKET)},server=on,wait=off`
  return `${socket},logfile=${dir}/serial.log,logappend=on`
}

/** UEFI has a network stack of its own, and iPXE's driver in QEMU's ROM would take its place;
 * a BIOS has only the ROM, which costs seconds of start-up even when nobody boots from it. */
function optionRom(spec: ServerSpec, boot: BootDevice): string {
  return spec.firmware === 'uefi' || boot === 'default' || boot === 'cdrom' ? ',romfile=' : ''
}

/** Firmware that isn't told to boot from it does not wait for it. */
function cdDrive(dir: string): string[][] {
  return [
    ['-drive', `if=none,id=cd0,file=${dir}/${CD_IMAGE},format=raw,readonly=on,media=cdrom`],
    ['-device', 'ide-cd,drive=cd0,bus=ide.0,bootindex=0'],
  ]
}

function firmwareOf(spec: ServerSpec, boot: BootDevice): Firmware | undefined {
  if (spec.firmware === 'bios') return undefined
  if (boot === 'cdrom' && spec.secureMedia) return 'secure'
  return boot === 'http' ? 'http' : 'plain'
}

/** OVMF with its variables on disk. Without the knob it would try DHCPv6 for a minute where DHCPv4 gets no answer. */
function uefi(dir: string, firmware: Firmware): string[][] {
  const { code, variables } = firmwares[firmware]
  return [
    // With Secure Boot the variables are behind system management mode: QEMU's docs/system/i386.
    ...(firmware === 'secure' ? [['-global', 'driver=cfi.pflash01,property=secure,value=on']] : []),
    ['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${code}`],
    ['-drive', `if=pflash,format=raw,unit=1,file=${dir}/${variables}`],
    ['-fw_cfg', 'name=opt/org.tianocore/IPv6PXESupport,string=no'],
  ]
}
