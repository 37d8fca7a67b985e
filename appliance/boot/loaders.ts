/** What a firmware can load over the network: iPXE built for it, or under Secure Boot shim, which loads GRUB. The names are those that DHCP gives and TFTP and HTTP serve. */
export const loaderNames = {
  bios: 'undionly.kpxe',
  uefiX64: 'snponly.efi',
  uefiArm64: 'snponly-arm64.efi',
  shimX64: 'shimx64.efi',
  grubX64: 'grubx64.efi', // the name that shim asks for
} as const

export type Loader = keyof typeof loaderNames

export const loaders = Object.keys(loaderNames) as Loader[]

export interface Firmware {
  name: string
  arch: 'x86_64' | 'aarch64'
  loader: Loader
  over: 'tftp' | 'http'
}

/** By option 93: RFC 4578 §2.1, RFC 5970 §3.3 and IANA's registry "Processor Architecture Types". */
export const firmware: Partial<Record<number, Firmware>> = {
  0: { name: 'BIOS', arch: 'x86_64', loader: 'bios', over: 'tftp' },
  7: { name: 'UEFI x64', arch: 'x86_64', loader: 'uefiX64', over: 'tftp' },
  9: { name: 'UEFI x64', arch: 'x86_64', loader: 'uefiX64', over: 'tftp' },
  11: { name: 'UEFI arm64', arch: 'aarch64', loader: 'uefiArm64', over: 'tftp' },
  16: { name: 'UEFI x64 HTTP', arch: 'x86_64', loader: 'uefiX64', over: 'http' },
  19: { name: 'UEFI arm64 HTTP', arch: 'aarch64', loader: 'uefiArm64', over: 'http' },
}
