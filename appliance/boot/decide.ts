import { firmware, type Firmware, type Loader, U_BOOT_ARM64 } from './loaders.ts'
import { type BootMachine, bootsIso, bootsKernel, hookedVolumes } from './machine.ts'

export interface BootRequest {
  vendorClass: string
  architecture?: number
  /** User class 77 is iPXE, or its options (175) are there: the loader is already in. */
  ipxe: boolean
}

export interface BootPolicy {
  unknownMachines: 'ignore' | 'discover' | 'local'
  hasLoader: (loader: Loader) => boolean
  hasRamdisk: (arch: 'x86_64' | 'aarch64') => boolean
}

export type BootAnswer = { because: string } & (
  | { kind: 'silent' }
  | { kind: 'address' }
  | { kind: 'loader'; loader: Loader; over: 'tftp' | 'http' }
  /** Where TFTP is: there it looks for a configuration by its card's address. */
  | { kind: 'configuration' }
  /** `local` gives the machine back to its firmware, which goes on to its disk. */
  | { kind: 'script'; script: 'ramdisk' | 'instance'; arch: 'x86_64' | 'aarch64' }
  | { kind: 'script'; script: 'local' }
)

const due = { ramdisk: 'ramdisk', instance: 'what its instance boots', disk: 'its disk', local: 'its disk' }

/** What a machine that asks by DHCP is given, and why. */
export function decide(machine: BootMachine | undefined, request: BootRequest, policy: BootPolicy): BootAnswer {
  const mode =
    machine?.mode ??
    { ignore: 'unknown' as const, discover: 'ramdisk' as const, local: 'local' as const }[policy.unknownMachines]
  const who = machine === undefined ? 'unknown machine' : 'known machine'
  if (mode === 'unknown') return { kind: 'silent', because: 'unknown machine, and this site ignores those' }
  if (mode === 'off') return { kind: 'silent', because: 'known machine that shall not boot now' }
  const netboots = request.ipxe || /^(PXE|HTTP)Client/.test(request.vendorClass)
  if (looksForConfiguration(machine, request, policy))
    return { kind: 'configuration', because: `${who}, U-Boot asks, ${due[mode]} is due` }
  if (!netboots) return { kind: 'address', because: `${who}, an operating system asks` }
  if (mode === 'local') return { kind: 'address', because: `${who}, left to its own disk` }

  const kind = firmware[request.architecture ?? -1]
  if (kind === undefined)
    return { kind: 'silent', because: `no loader for firmware architecture ${request.architecture ?? 'not given'}` }
  if (machine !== undefined && kind.arch !== machine.arch)
    return { kind: 'silent', because: `firmware is ${kind.arch}, but the node's cpu_arch is ${machine.arch}` }
  if (mode === 'ramdisk' && !policy.hasRamdisk(kind.arch))
    return { kind: 'silent', because: `this site has no ramdisk for ${kind.arch}: set boot files.${kind.arch}` }
  const what = machine !== undefined && (bootsIso(machine) || hookedVolumes(machine)) ? 'iso' : mode
  if (machine?.secureBoot && !request.ipxe) return signed(what, kind, policy)
  if (!request.ipxe) return loader(what, who, kind, policy)
  const because = `${who}, iPXE asks, ${due[mode]} is due`
  if (mode === 'disk') return { kind: 'script', script: 'local', because }
  return { kind: 'script', script: mode, arch: kind.arch, because }
}

/**
 * U-Boot by itself, not as the UEFI that it also is: option 93 is 22 then (IANA's registry). With what it finds it starts the kernel
 * directly, which Secure Boot knows nothing of.
 */
function looksForConfiguration(machine: BootMachine | undefined, request: BootRequest, policy: BootPolicy): boolean {
  const isUBoot = request.architecture === U_BOOT_ARM64 && request.vendorClass.startsWith('U-Boot')
  return isUBoot && machine !== undefined && startsByConfiguration(machine) && isHere(machine, policy)
}

/** An instance's files were fetched before it was told to boot them. */
function isHere({ mode, arch }: BootMachine, policy: BootPolicy): boolean {
  return mode === 'instance' || policy.hasRamdisk(arch)
}

export function startsByConfiguration(machine: BootMachine): boolean {
  return bootsKernel(machine) && machine.arch === 'aarch64' && machine.secureBoot !== true
}

type Due = 'ramdisk' | 'instance' | 'iso' | 'disk'

/** iPXE where there is one for this firmware, else GRUB. */
function loader(mode: Due, who: string, kind: Firmware, policy: BootPolicy): BootAnswer {
  const because = `${who}, ${kind.name} firmware asks`
  if (policy.hasLoader(kind.loader)) return { kind: 'loader', loader: kind.loader, over: kind.over, because }
  if (kind.otherwise !== undefined && policy.hasLoader(kind.otherwise)) return grub(mode, kind, kind.otherwise, because)
  const names = [kind.loader, kind.otherwise].filter((name) => name !== undefined)
  const remedy = `set boot ${names.map((name) => `files.loaders.${name}`).join(' or ')}`
  return { kind: 'silent', because: `this site has no loader for ${kind.name}: ${remedy}` }
}

/**
 * GRUB reads the lease of PXE, not that of HTTP boot, which is therefore left unanswered: firmware goes on to PXE. It can't give a machine
 * back to its firmware, so a machine whose disk is due gets no loader at all.
 */
function grub(mode: Due, kind: Firmware, first: Loader, because: string): BootAnswer {
  if (mode === 'disk') return { kind: 'address', because: 'known machine that starts by GRUB, left to its own disk' }
  if (mode === 'iso')
    return {
      kind: 'silent',
      because: `an ISO or a volume is started by iPXE, and ${kind.name} starts by GRUB here: boot a kernel and ramdisk`,
    }
  if (kind.over === 'http') return { kind: 'silent', because: 'GRUB is served over PXE, not over HTTP boot' }
  return { kind: 'loader', loader: first, over: 'tftp', because }
}

/** Debian's iPXE isn't signed, so under Secure Boot firmware starts shim, shim GRUB, and GRUB a signed kernel. */
function signed(mode: Due, kind: Firmware, policy: BootPolicy): BootAnswer {
  const { signed: pair } = kind
  if (pair === undefined) return { kind: 'silent', because: `no signed loader for ${kind.name}` }
  if (!policy.hasLoader(pair.shim) || !policy.hasLoader(pair.grub))
    return {
      kind: 'silent',
      because: `this site has no signed loaders for ${kind.name}: install Debian's shim-signed and ${signedPackage[kind.arch]}`,
    }
  return grub(mode, kind, pair.shim, 'known machine under Secure Boot asks')
}

const signedPackage = { x86_64: 'grub-efi-amd64-signed', aarch64: 'grub-efi-arm64-signed' }
