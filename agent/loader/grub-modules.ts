/** Built into every GRUB of ours: whatever a menu of a distribution loads, so that no module of another version is. */
const everywhere: readonly string[] = [
  'btrfs',
  'cat',
  'configfile',
  'diskfilter',
  'echo',
  'ext2',
  'fat',
  'gzio',
  'halt',
  'linux',
  'loadenv',
  'ls',
  'lvm',
  'mdraid1x',
  'minicmd',
  'normal',
  'part_gpt',
  'part_msdos',
  'probe',
  'reboot',
  'regexp',
  'search',
  'search_fs_file',
  'search_fs_uuid',
  'search_label',
  'serial',
  'sleep',
  'terminal',
  'test',
  'true',
  'xfs',
  'xzio',
]

/** GRUB's platforms, by what firmware starts on which processor; `folder`: under /usr/lib/grub. */
export const grubPlatforms = {
  bios: { folder: 'i386-pc', modules: ['biosdisk', 'linux16', ...everywhere] },
  x64: { folder: 'x86_64-efi', modules: ['efi_gop', 'chain', ...everywhere] },
  arm64: { folder: 'arm64-efi', modules: ['efi_gop', 'chain', ...everywhere] },
} as const
export type GrubPlatform = keyof typeof grubPlatforms

/** The modules and all that they need, by moddep.lst: `normal: extcmd verifiers crypto …`. */
export function moduleClosure(dependencies: string, wanted: readonly string[]): string[] {
  const needs = new Map(
    dependencies.split('\n').map((line) => {
      const [name = '', all = ''] = line.split(':')
      return [name, all.trim().split(/\s+/).filter(Boolean)] as const
    }),
  )
  const found = new Set<string>()
  const queue = [...wanted]
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (found.has(name)) continue
    found.add(name)
    queue.push(...(needs.get(name) ?? []))
  }
  return [...found].sort()
}
