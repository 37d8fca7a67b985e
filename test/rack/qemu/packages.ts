/** Debian packages that the QEMU rack, its WAN link and the boot lab of `test/qemu` are made of. */
export const requiredPackages: string[] = [
  'busybox-static', // ping
  'coreutils',
  'dnsmasq-base',
  'findutils',
  'gcc',
  'iproute2',
  'ipmitool',
  'ipxe-qemu',
  'isc-dhcp-relay',
  'libc6-dev',
  'openipmi',
  'ovmf',
  'qemu-efi-aarch64',
  'qemu-system-arm',
  'qemu-system-x86',
  'radvd',
  'seabios',
  'tshark',
  'u-boot-qemu',
]
