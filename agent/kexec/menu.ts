/** What a boot menu would start by itself. Pure: menus were written by others, and what can't be understood of them starts nothing. */

export interface BootEntry {
  /** As the menu names them: from the root of the file system that it is in. */
  kernel: string
  initrds: string[]
  commandLine: string
}

const LONGEST = 1024 * 1024

/** grub.cfg: the entry that is the default, where that is said without a variable; else the first. Undefined: there is none with a kernel. */
export function entryOfGrub(config: string): BootEntry | undefined {
  const entries = menuEntries(config.slice(0, LONGEST))
  // One that has no menu is a list of commands.
  if (entries.length === 0) return entryOfLines(config.slice(0, LONGEST).split('\n'))
  const chosen = entries[indexOfDefault(config, entries)]
  return chosen?.kind === 'menuentry' ? entryOfLines(chosen.lines) : undefined
}

interface MenuEntry {
  kind: string
  title: string
  id: string | undefined
  lines: string[]
}

/** In order, those of submenus among them as GRUB counts: a submenu is one entry of its own, which starts nothing by itself. */
function menuEntries(config: string): MenuEntry[] {
  const found: MenuEntry[] = []
  let depth = 0
  for (const line of config.split('\n')) {
    const [, kind, title = ''] = /^\s*(menuentry|submenu)\s+["']([^"']*)["']/.exec(line) ?? []
    if (kind && depth === 0)
      found.push({ kind, title, id: /menuentry_id_option'?\s+'([^']+)'/.exec(line)?.[1], lines: [] })
    else if (depth > 0) found.at(-1)?.lines.push(line)
    const isBlock = kind !== undefined || depth > 0
    if (isBlock) depth += count(line, /\{(?=\s*$)/g) - count(line, /^\s*\}/g)
  }
  return found
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}

function indexOfDefault(config: string, entries: readonly MenuEntry[]): number {
  const literals = [...config.matchAll(/^\s*set default=["']?([^"'$\n]+?)["']?\s*$/gm)].map(([, value]) => value ?? '')
  const wanted = literals.at(-1) ?? '0'
  if (/^\d+$/.test(wanted)) return Number(wanted)
  return entries.findIndex(({ title, id }) => [title, id].includes(wanted))
}

function entryOfLines(lines: readonly string[]): BootEntry | undefined {
  const words = (command: RegExp): string[] => {
    const line = lines.find((each) => command.test(each)) ?? ''
    return withoutVariables(line.trim().split(/\s+/).slice(1))
  }
  const [kernel, ...options] = words(/^\s*linux(16|efi)?\s/)
  if (kernel === undefined) return undefined
  return entry(kernel, words(/^\s*initrd(16|efi)?\s/), options)
}

/** Boot Loader Specification, type 1: the entry with the highest version of those in `files`. */
export function entryOfBls(files: readonly { name: string; text: string }[]): BootEntry | undefined {
  const newest = files
    .filter(({ name }) => name.endsWith('.conf') && !name.includes('rescue'))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    .at(-1)
  if (!newest) return undefined
  const values = (key: string): string[] =>
    [...newest.text.slice(0, LONGEST).matchAll(new RegExp(`^${key}[ \\t]+(.+)$`, 'gm'))].flatMap(([, value]) =>
      withoutVariables((value ?? '').trim().split(/\s+/)),
    )
  const [kernel] = values('linux')
  return kernel === undefined ? undefined : entry(kernel, values('initrd'), values('options'))
}

/** What GRUB would put in at the start is of its screen, not of the system. */
function withoutVariables(words: readonly string[]): string[] {
  return words
    .map((word) => word.replaceAll(/["']|^\([^)]*\)/g, ''))
    .filter((word) => word !== '' && !word.includes('$'))
}

function entry(kernel: string, initrds: string[], options: readonly string[]): BootEntry | undefined {
  const absolute = (path: string): string => `/${path.replace(/^\/+/, '')}`
  // An initrd may know by itself what its root is; a kernel alone does not.
  if (initrds.length === 0 && !options.some((word) => word.startsWith('root='))) return undefined
  return { kernel: absolute(kernel), initrds: initrds.map(absolute), commandLine: options.join(' ') }
}
