import { access, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BootConfig } from './config.ts'
import { loaderNames, loaders, startsGrub, type Loader } from './loaders.ts'
import { revocation, revokedBy, sbatOf } from './sbat.ts'

export interface BootFiles {
  /** Small, so kept in memory. */
  loaders: ReadonlyMap<Loader, Uint8Array>
  ramdisks: BootConfig['files']
  /** What is there and is not served, and why. */
  refused: readonly string[]
}

const DEBIAN: Partial<Record<Loader, string>> = {
  bios: '/usr/lib/ipxe/undionly.kpxe',
  uefiX64: '/usr/lib/ipxe/snponly.efi',
}
/** Only sites with Secure Boot need these: where the packages are not there, a decision says so. */
const DEBIAN_SIGNED: Partial<Record<Loader, string>> = {
  shimX64: '/usr/lib/shim/shimx64.efi.signed',
  grubX64: '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
  shimArm64: '/usr/lib/shim/shimaa64.efi.signed',
  grubArm64: '/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed',
}
const shims = ['shimX64', 'shimArm64'] as const
const grubs = ['grubX64', 'grubArm64'] as const
const MAX_LOADER = 4 * 1_048_576

/** Everything that may be served is there before anybody is told of it. */
export async function openBootFiles(config: BootConfig['files']): Promise<BootFiles> {
  const found = new Map<Loader, Uint8Array>()
  for (const loader of loaders) {
    const path =
      config.loaders[loader] ??
      DEBIAN[loader] ??
      (await ifThere(DEBIAN_SIGNED[loader])) ??
      (await ifThere(beside(config, loader)))
    if (path !== undefined) found.set(loader, await loaderBytes(loader, path))
  }
  if (config.aarch64 !== undefined && !found.has('uefiArm64') && !found.has('grubArm64'))
    throw new Error(
      'boot files.aarch64 is set, but no loader starts it: put grubaa64.efi beside its kernel, as agent/ramdisk/main.ts does, ' +
        'or set files.loaders.grubArm64, or files.loaders.uefiArm64 to an iPXE for arm64',
    )
  for (const arch of ['x86_64', 'aarch64'] as const)
    for (const part of ['kernel', 'initrd'] as const) {
      const path = config[arch]?.[part]
      if (path !== undefined) await mustBeFile(`boot files.${arch}.${part}`, path)
    }
  return { loaders: found, ramdisks: config, refused: await refuseRevoked(found) }
}

/** Where the recipe of a ramdisk puts shim and GRUB of its processor, which is often another than the appliance's. */
function beside(config: BootConfig['files'], loader: Loader): string | undefined {
  const kernel = (loader.endsWith('Arm64') ? config.aarch64 : config.x86_64)?.kernel
  return kernel === undefined || !startsGrub(loader) ? undefined : join(dirname(kernel), loaderNames[loader])
}

/** Firmware would start such a shim on some machines and not on others, and a shim no such GRUB: better to say so at once. */
async function refuseRevoked(found: Map<Loader, Uint8Array>): Promise<string[]> {
  const own = await Promise.all(shims.map((shim) => ifThere(DEBIAN_SIGNED[shim])))
  const installed = await Promise.all(own.filter((path) => path !== undefined).map((path) => readFile(path)))
  const configured = shims.map((shim) => found.get(shim)).filter((bytes) => bytes !== undefined)
  const level = new Map<string, number>()
  for (const shim of [...installed, ...configured])
    for (const [component, least] of revokedBy(shim)) level.set(component, Math.max(least, level.get(component) ?? 0))
  const refused: string[] = []
  for (const loader of [...shims, ...grubs]) {
    const why = revocation(sbatOf(found.get(loader) ?? new Uint8Array()), level)
    if (why === undefined) continue
    found.delete(loader)
    refused.push(`${loaderNames[loader]} is not served: ${why}. Update Debian's shim-signed and grub-efi-*-signed`)
  }
  return refused
}

async function ifThere(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  return access(path).then(
    () => path,
    () => undefined,
  )
}

async function loaderBytes(loader: Loader, path: string): Promise<Uint8Array> {
  await mustBeFile(`${loaderNames[loader]} (boot files.loaders.${loader}, or Debian's package ipxe)`, path)
  const bytes = await readFile(path)
  if (bytes.length > MAX_LOADER) throw new Error(`${path} has ${bytes.length} bytes: that is no network loader`)
  return shared(bytes)
}

/** So that the thread that sends needn't copy it for every machine. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

async function mustBeFile(what: string, path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`cannot serve ${what}: ${path} is not readable`, { cause })
  })
  if (!found.isFile() || found.size === 0) throw new Error(`cannot serve ${what}: ${path} is empty or no file`)
}
