import { open } from 'node:fs/promises'
import { fileOf, type TftpFile } from '@bloomery/tftp/source.ts'
import type { BootFiles } from './files.ts'
import { bootPath, GRUB_CONFIG, grubScript } from './grub.ts'
import { loaderNames } from './loaders.ts'
import type { BootDirectory } from './machine.ts'

export interface ServedFile {
  file: TftpFile
  /** For the timeline; probes that firmware makes of everything have none. */
  kind: 'tftp' | 'script' | 'kernel' | 'initrd'
}

/** What TFTP serves: loaders to anybody, GRUB's configuration to the machine that asks, kernel and ramdisk to who has the boot's token. */
export function tftpSource(
  files: BootFiles,
  directory: BootDirectory,
): (name: string, mac: string | undefined) => Promise<ServedFile | undefined> {
  const byName = new Map([...files.loaders].map(([loader, bytes]) => [loaderNames[loader] as string, bytes]))
  return async (asked, mac) => {
    const name = asked.replace(/^\/+/, '')
    const loader = byName.get(name)
    if (loader !== undefined) return { file: fileOf(loader), kind: 'tftp' }
    if (name === GRUB_CONFIG) return grubConfig(directory, mac)
    const path = bootPath(name)
    const boot = path && directory.byBootToken(path.token)
    if (path === undefined || boot?.machine.mode !== 'ramdisk' || !boot.machine.secureBoot) return undefined
    const source = files.ramdisks[boot.machine.arch]?.[path.part]
    return source === undefined ? undefined : { file: await fileAt(source), kind: path.part }
  }
}

function grubConfig(directory: BootDirectory, mac: string | undefined): ServedFile | undefined {
  const machine = mac === undefined ? undefined : directory.byMac(mac)
  if (mac === undefined || machine?.mode !== 'ramdisk' || !machine.secureBoot) return undefined
  const script = grubScript(machine, mac, directory.bootToken(machine, mac))
  return { file: fileOf(Buffer.from(script)), kind: 'script' }
}

async function fileAt(path: string): Promise<TftpFile> {
  const handle = await open(path)
  const { size } = await handle.stat()
  return {
    size,
    async read(offset, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
    close: () => handle.close(),
  }
}
