/** Debian packages that the QEMU rack and its WAN link are made of. */
export const requiredPackages: string[] = [
  'busybox-static', // ping
  'coreutils',
  'findutils',
  'gcc',
  'iproute2',
  'ipmitool',
  'ipxe-qemu',
  'libc6-dev',
  'openipmi',
  'ovmf',
  'qemu-system-x86',
  'radvd',
  'seabios',
  'tshark',
]
