/** Debian packages that must be installed where images are built. */
export const requiredPackages: string[] = [
  'apt',
  'dosfstools',
  'dpkg',
  'e2fsprogs',
  'gdisk',
  'genisoimage',
  'grub-common',
  'grub-efi-amd64-bin',
  'grub-pc-bin',
  'kmod',
  'mmdebstrap',
  'mtools',
  'qemu-utils',
  'systemd-boot-efi',
  'util-linux',
]
