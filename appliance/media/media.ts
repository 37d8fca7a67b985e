import { stat } from 'node:fs/promises'
import { ISO } from '../boot/boot-part.ts'
import type { BootConfig } from '../boot/config.ts'
import { BOOT_TOKEN, type BootMachine } from '../boot/machine.ts'
import { HardwareError } from '../hardware-error.ts'
import { type BootIso, bootIso } from './boot-iso.ts'
import { type CdLoaders, openCdLoaders } from './loaders.ts'

/** Boot media for machines that no DHCP server of ours reaches. Nothing of them is on disk: they are put together as they are read. */
export interface BootMedia {
  /** Where a BMC, or a firmware that boots by HTTP, gets the medium of this boot. Rejects where this site can't make one. */
  url(arch: BootMachine['arch'], token: string): Promise<string>
  /** Where a BMC gets the ISO of an instance. */
  instanceUrl(token: string): string
  /** Of the boot that it is told in (`commandLine` puts the token in); a folder. */
  ownUrl: string
  open(machine: BootMachine, mac: string): Promise<BootIso>
}

export interface BootMediaParts {
  files: BootConfig['files']
  /** Base of the boot services' HTTP server, as BMCs reach it. */
  base: string
  agentToken(node: string): string | undefined
  /** Default: those of Debian's packages. */
  loaders?: (arch: BootMachine['arch']) => Promise<CdLoaders>
}

export function openBootMedia({ files, base, agentToken, loaders: open = openCdLoaders }: BootMediaParts): BootMedia {
  const opened = new Map<BootMachine['arch'], Promise<CdLoaders>>()
  const loaders = (arch: BootMachine['arch']): Promise<CdLoaders> => {
    const known = opened.get(arch) ?? open(arch)
    opened.set(arch, known)
    known.catch(() => opened.delete(arch))
    return known
  }
  const ramdisk = (arch: BootMachine['arch']) => {
    const found = files[arch]
    if (!found) throw new HardwareError(`this site has no ramdisk for ${arch}: set boot files.${arch} of the appliance`)
    return found
  }
  return {
    async url(arch, token) {
      ramdisk(arch)
      if (Object.keys(await loaders(arch)).length === 0)
        throw new HardwareError(
          `this site can't make boot media for ${arch}: install Debian's shim-signed and grub-efi-${arch === 'x86_64' ? 'amd64' : 'arm64'}-signed on the appliance`,
        )
      return `${base}/boot/${encodeURIComponent(token)}/boot.iso`
    },
    instanceUrl: (token) => `${base}/boot/${encodeURIComponent(token)}/${ISO}`,
    ownUrl: `${base}/boot/${BOOT_TOKEN}`,
    async open(machine, mac) {
      const { kernel, initrd } = ramdisk(machine.arch)
      const sized = async (path: string) => ({ path, size: (await stat(path)).size })
      return bootIso({
        node: machine.node,
        cmdline: `BOOTIF=01-${mac.replaceAll(':', '-')} ${machine.ramdisk?.cmdline ?? ''}`.trim(),
        loaders: await loaders(machine.arch),
        kernel: await sized(kernel),
        initrd: await sized(initrd),
        network: machine.ramdisk?.media?.network ?? '',
        networkData: machine.ramdisk?.media?.networkData,
        agentToken: agentToken(machine.node),
      })
    },
  }
}
