import { cpioOfFiles } from '../../contract/cpio.ts'
import { type AbsentFile, type IsoFile, layOutIso } from '../../contract/iso9660.ts'
import { bootCatalog, bootRecord, type BootImages, placeOf, withBootInformation } from './el-torito.ts'
import { grubConfig } from './grub-config.ts'
import type { CdLoaders } from './loaders.ts'

/** A file of the volume that stays where it is. */
export interface FileOnDisk {
  path: string
  size: number
}

export interface BootIsoParts {
  node: string
  cmdline: string
  loaders: CdLoaders
  kernel: FileOnDisk
  initrd: FileOnDisk
  /** How the ramdisk gets its addresses; '' is by DHCP. */
  network: string
  /** For programs that look for network data as a cloud's instances do. */
  networkData: Record<string, unknown> | undefined
  agentToken: string | undefined
}

/** In order, without gaps between them but zeros. */
export interface Segment {
  at: number
  size: number
  from: Uint8Array | { path: string }
}

export interface BootIso {
  size: number
  segments: Segment[]
}

const CATALOG = 'boot/boot.cat'
const BIOS_IMAGE = 'boot/bios.img'
const UEFI_IMAGE = 'boot/uefi.img'
const LABEL = 'config-2' // where ironic-python-agent and cloud-init look for openstack/

/** The medium that starts the ramdisk on one machine, by BIOS and by UEFI. Equal input gives equal bytes: a BMC reads it piece by piece. */
export function bootIso(parts: BootIsoParts): BootIso {
  const { loaders, kernel, initrd } = parts
  const images: BootImages = {
    catalog: CATALOG,
    ...(loaders.bios ? { bios: BIOS_IMAGE } : {}),
    ...(loaders.uefi ? { uefi: UEFI_IMAGE } : {}),
  }
  const known: IsoFile[] = [
    { path: '.disk/info', content: Buffer.from('Bloomery\n') }, // by which Debian's GRUB finds its volume
    { path: 'boot/grub/grub.cfg', content: Buffer.from(grubConfig(parts.node, parts.cmdline)) },
    { path: 'boot/config.cpio', content: configuration(parts) },
    ...(loaders.uefi ? [{ path: UEFI_IMAGE, content: loaders.uefi }] : []),
    ...(parts.networkData
      ? [{ path: 'openstack/latest/network_data.json', content: Buffer.from(JSON.stringify(parts.networkData)) }]
      : []),
  ]
  const absent: AbsentFile[] = [
    { path: CATALOG, content: { size: 2048 } },
    { path: 'boot/kernel', content: { size: kernel.size } },
    { path: 'boot/initrd', content: { size: initrd.size } },
    ...(loaders.bios ? [{ path: BIOS_IMAGE, content: { size: Math.ceil(loaders.bios.length / 4) * 4 } }] : []),
  ]
  const { head, files, size } = layOutIso(LABEL, [...known, ...absent], (places) => bootRecord(places, images))
  const from = new Map<string, Segment['from']>([
    ...known.map(({ path, content }) => [path, content] as const),
    [CATALOG, bootCatalog(files, images)],
    ['boot/kernel', { path: kernel.path }],
    ['boot/initrd', { path: initrd.path }],
    ...(loaders.bios ? [[BIOS_IMAGE, withBootInformation(loaders.bios, placeOf(files, BIOS_IMAGE).at)] as const] : []),
  ])
  const segments = files.map(({ path, at, size: length }): Segment => ({ at, size: length, from: from.get(path)! }))
  return { size, segments: [{ at: 0, size: head.length, from: head }, ...segments] }
}

/** Unpacked over the ramdisk; root's alone. */
function configuration({ network, agentToken }: BootIsoParts): Uint8Array {
  return cpioOfFiles([
    { path: 'etc/bloomery/network', mode: 0o600, content: Buffer.from(network) },
    ...(agentToken === undefined
      ? []
      : [{ path: 'etc/bloomery/agent-token', mode: 0o600, content: Buffer.from(agentToken) }]),
  ])
}
