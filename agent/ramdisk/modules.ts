import type { Flavour } from './kernel.ts'

/**
 * What a deploy ramdisk may meet: disks and their controllers, network cards, what firmware and virtual media need.
 * Paths under lib/modules/<version>/kernel/; a directory stands for all that is in it.
 */
export const wantedModules: readonly string[] = [
  'drivers/ata/',
  'drivers/block/virtio_blk.ko',
  'drivers/block/loop.ko',
  'drivers/block/xen-blkfront.ko',
  'drivers/cdrom/',
  'drivers/char/hw_random/virtio-rng.ko',
  'drivers/char/ipmi/ipmi_devintf.ko',
  'drivers/char/ipmi/ipmi_si.ko',
  'drivers/firmware/efi/',
  'drivers/hv/',
  'drivers/md/raid',
  'drivers/message/fusion/',
  'drivers/net/bonding/',
  'drivers/net/ethernet/',
  'drivers/net/hyperv/',
  'drivers/net/virtio_net.ko',
  'drivers/net/vmxnet3/',
  'drivers/net/phy/',
  'drivers/nvme/host/',
  'drivers/scsi/',
  'drivers/usb/host/',
  'drivers/usb/storage/',
  'drivers/virtio/',
  'fs/btrfs/',
  'fs/efivarfs/',
  'fs/ext4/',
  'fs/fat/',
  'fs/isofs/',
  'fs/nls/nls_ascii.ko',
  'fs/nls/nls_cp437.ko',
  'fs/nls/nls_iso8859-1.ko',
  'fs/nls/nls_utf8.ko',
  'fs/xfs/',
  'net/8021q/',
]

/** Old or out-of-scope hardware under wanted directories, left out because each costs memory in every boot. */
const unwantedModules: readonly string[] = [
  'drivers/scsi/pcmcia/',
  'drivers/scsi/scsi_debug',
  'drivers/net/ethernet/8390/pcnet_cs',
  'drivers/usb/storage/ums-',
]

const virtual = 'virtio_pci virtio_net virtio_blk nvme efivarfs vfat ext4 raid1 raid456'.split(' ')
const real =
  'ahci sd_mod megaraid_sas mpt3sas hpsa smartpqi e1000e igb ixgbe i40e ice tg3 bnxt_en mlx5_core usb_storage isofs crc32c_generic ipmi_si ipmi_devintf'.split(
    ' ',
  )

/** A ramdisk without these would boot and then find no disk or no network: better to fail the build. */
export const neededModules: Record<Flavour, readonly string[]> = {
  'cloud-amd64': virtual,
  amd64: [...virtual, ...real],
  'cloud-arm64': virtual,
  arm64: [...virtual, ...real, 'hns3', 'nicvf', 'xgene_enet'],
}

/** What depmod says of a kernel's modules (modules.dep(5), depmod(8)). */
export type ModuleIndex = {
  /** Lines: "kernel/a.ko: kernel/b.ko kernel/c.ko"; they are already transitive. */
  dependencies: string
  /** Lines: "softdep a pre: b post: c". A name is a module's, or one that modules give themselves, as the kernel's algorithms do: without
   * crc32c no ext4 is mounted, whatever modules.dep says. */
  soft: string
  /** Lines: "alias crypto-crc32c crc32c_generic". */
  aliases: string
}

export function moduleClosure(index: ModuleIndex, wanted: readonly string[]): string[] {
  const lines = index.dependencies.split('\n').map((line) => line.split(':') as [string, string?])
  const needs = new Map(lines.map(([module, rest = '']) => [module, rest.trim().split(/\s+/).filter(Boolean)]))
  const soft = softDependencies(index, [...needs.keys()])
  const closure = new Set<string>()
  const left = [...needs.keys()].filter((module) => chosen(module.replace(/^kernel\//, ''), wanted))
  for (let module = left.pop(); module !== undefined; module = left.pop()) {
    if (module === '' || closure.has(module)) continue
    closure.add(module)
    left.push(...(needs.get(module) ?? []), ...(soft.get(moduleName(module)) ?? []))
  }
  return [...closure].sort()
}

/** By name of a module: the files of what it wants beside it. */
function softDependencies({ soft, aliases }: ModuleIndex, files: readonly string[]): Map<string, string[]> {
  const byName = new Map(files.map((file) => [moduleName(file), file]))
  const named = new Map<string, string[]>()
  for (const [, alias = '', module = ''] of aliases.matchAll(/^alias (\S+) (\S+)$/gm))
    named.set(moduleName(alias), [...(named.get(moduleName(alias)) ?? []), moduleName(module)])
  const found = new Map<string, string[]>()
  for (const [, module = '', rest = ''] of soft.matchAll(/^softdep (\S+) (.+)$/gm)) {
    const names = rest.split(/\s+/).filter((word) => !word.endsWith(':'))
    const modules = names.flatMap((name) => [moduleName(name), ...(named.get(moduleName(name)) ?? [])])
    const there = modules.flatMap((name) => byName.get(name) ?? [])
    found.set(moduleName(module), [...(found.get(moduleName(module)) ?? []), ...there])
  }
  return found
}

function chosen(module: string, wanted: readonly string[]): boolean {
  return wanted.some((path) => module.startsWith(path)) && !unwantedModules.some((path) => module.startsWith(path))
}

/** Which of the needed modules are neither among the files chosen nor built into the kernel. */
export function missingModules(needed: readonly string[], files: readonly string[], builtIn: string): string[] {
  const present = new Set([...files, ...builtIn.split('\n')].map(moduleName))
  return needed.filter((name) => !present.has(name))
}

/** The kernel takes - and _ in module names for the same. */
function moduleName(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_')
}
