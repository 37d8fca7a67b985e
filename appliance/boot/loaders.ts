/** What a firmware can load over the network: iPXE built for it, or under Secure Boot shim, which loads GRUB. The names are those that DHCP gives and TFTP and HTTP serve. */
export const loaderNames = {
  bios: 'undionly.kpxe',
  uefiX64: 'snponly.efi',
  uefiArm64: 'snponly-arm64.efi',
  shimX64: 'shimx64.efi',
  grubX64: 'grubx64.efi', // the name that shim asks for
  shimArm64: 'shimaa64.efi',
  grubArm64: 'grubaa64.efi',
} as const

export type Loader = keyof typeof loaderNames

export const loaders = Object.keys(loaderNames) as Loader[]

/** GRUB, or shim, which starts it. */
export function startsGrub(loader: Loader): boolean {
  return /^(shim|grub)/.test(loader)
}

export interface Firmware {
  name: string
  arch: 'x86_64' | 'aarch64'
  loader: Loader
  /** Where the site has no such loader: GRUB, which needs the lease of PXE. */
  otherwise?: Loader
  /** Under Secure Boot: what firmware starts, and what that starts. */
  signed?: { shim: Loader; grub: Loader }
  over: 'tftp' | 'http'
}

const bios: Firmware = { name: 'BIOS', arch: 'x86_64', loader: 'bios', over: 'tftp' }
const x64: Firmware = {
  name: 'UEFI x64',
  arch: 'x86_64',
  loader: 'uefiX64',
  signed: { shim: 'shimX64', grub: 'grubX64' },
  over: 'tftp',
}
/** Debian 12 has no iPXE for arm64, and U-Boot, which asks as UEFI does, can't run shim without Secure Boot's keys. */
const arm64: Firmware = {
  name: 'UEFI arm64',
  arch: 'aarch64',
  loader: 'uefiArm64',
  otherwise: 'grubArm64',
  signed: { shim: 'shimArm64', grub: 'grubArm64' },
  over: 'tftp',
}

/** Of the same registry: it loads no UEFI program when it says so, but a kernel. */
export const U_BOOT_ARM64 = 22

/** By option 93: RFC 4578 §2.1, RFC 5970 §3.3 and IANA's registry "Processor Architecture Types". */
export const firmware: Partial<Record<number, Firmware>> = {
  0: bios,
  7: x64,
  9: x64,
  11: arm64,
  16: { ...x64, name: 'UEFI x64 HTTP', over: 'http' },
  19: { ...arm64, name: 'UEFI arm64 HTTP', over: 'http' },
}
