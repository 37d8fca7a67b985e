import { open } from 'node:fs/promises'
import { fileOf, type TftpFile } from '@bloomery/tftp/source.ts'
import type { BootUse } from './boot-use.ts'
import type { BootFiles } from './files.ts'
import { startsByConfiguration } from './decide.ts'
import type { Discovery } from './discovery.ts'
import { bootPath, GRUB_CONFIG, grubScript, grubScriptByProcessor } from './grub.ts'
import { loaderNames } from './loaders.ts'
import { pathOfPart } from './boot-part.ts'
import { type BootDirectory, type BootMachine, bootsKernel } from './machine.ts'
import { isConfigurationOf, syslinuxConfig } from './syslinux.ts'

export interface ServedFile {
  file: TftpFile
  /** For the timeline; probes that firmware makes of everything have none. */
  kind: 'tftp' | 'script' | 'kernel' | 'initrd'
  /** Of the card that it was made for, where it was. */
  mac?: string
}

export interface TftpSourceParts {
  files: BootFiles
  /** The image cache, where instances have what they boot. */
  imageDir?: string
  directory: BootDirectory
  discovery: Discovery
  boots: BootUse
}

/** What TFTP serves: loaders to anybody, the configuration of GRUB or U-Boot to the machine that asks, kernel and ramdisk to who may use the boot's token. */
export function tftpSource({
  files,
  imageDir,
  directory,
  discovery,
  boots,
}: TftpSourceParts): (name: string, mac: string | undefined, client?: string) => Promise<ServedFile | undefined> {
  const byName = new Map([...files.loaders].map(([loader, bytes]) => [loaderNames[loader] as string, bytes]))
  return async (asked, mac, client) => {
    const name = asked.replace(/^\/+/, '')
    const loader = byName.get(name)
    if (loader !== undefined) return { file: fileOf(loader), kind: 'tftp' }
    if (name === GRUB_CONFIG) return mac === undefined ? undefined : grubConfig(directory, discovery, mac)
    if (mac !== undefined && isConfigurationOf(name, mac, client)) return configuration(directory, mac)
    const path = bootPath(name)
    const boot = path && boots.allowed(path.token, path.part, client)
    if (path === undefined || boot === undefined) return undefined
    const source = pathOfPart({ files, imageDir }, boot.machine, path.part)
    return source === undefined ? undefined : { file: await fileAt(source), kind: path.part, mac: boot.mac }
  }
}

function configuration(directory: BootDirectory, mac: string): ServedFile | undefined {
  const machine = directory.byMac(mac)
  if (machine === undefined || !startsByConfiguration(machine)) return undefined
  const text = syslinuxConfig(machine, mac, directory.bootToken(machine, mac))
  return { file: fileOf(Buffer.from(text)), kind: 'script', mac }
}

function grubConfig(directory: BootDirectory, discovery: Discovery, mac: string): ServedFile | undefined {
  const machine = directory.byMac(mac)
  const script = machine === undefined ? unknownScript(discovery, mac) : dueScript(directory, machine, mac)
  return script === undefined ? undefined : { file: fileOf(Buffer.from(script)), kind: 'script', mac }
}

function dueScript(directory: BootDirectory, machine: BootMachine, mac: string): string | undefined {
  return bootsKernel(machine) ? grubScript(machine, mac, directory.bootToken(machine, mac)) : undefined
}

function unknownScript(discovery: Discovery, mac: string): string | undefined {
  if (!discovery.active) return undefined
  const script = (arch: BootMachine['arch']): string =>
    grubScript(discovery.machine(mac, arch), mac, discovery.token(mac, arch))
  return grubScriptByProcessor(script('x86_64'), script('aarch64'))
}

export async function fileAt(path: string): Promise<TftpFile> {
  const handle = await open(path)
  const { size } = await handle.stat()
  return {
    size,
    content: { fd: handle.fd },
    async read(offset, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
    close: () => handle.close(),
  }
}
