/** Debian packages whose files and programs make boot media, and those of their peer tests. */
export const requiredPackages: string[] = [
  'cpio',
  'grub-common',
  'grub-efi-amd64-signed',
  'grub-pc-bin',
  'mtools',
  'shim-signed',
  'xorriso',
]
