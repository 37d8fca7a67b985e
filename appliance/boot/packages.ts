/** Debian packages whose files and programs the boot services use, and those of their peer tests. */
export const requiredPackages: string[] = [
  'grub-efi-amd64-signed',
  'iproute2',
  'ipxe',
  'isc-dhcp-client',
  'radvd',
  'shim-signed',
]
