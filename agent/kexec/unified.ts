/** Unified kernel images: a program of UEFI with a kernel, an initrd and a command line in sections of their own (UAPI Group
 * Specifications, UKI; Microsoft's PE format). Pure. */

/** So many bytes of a file, from that place on. */
export interface Slice {
  from: number
  size: number
}

export interface UnifiedImage {
  kernel: Slice
  initrds: Slice[]
  commandLine: Slice | undefined
}

/** Headers of what systemd-stub is part of take 1 or 2 KiB. */
export const MOST_HEADERS = 64 * 1024
const MOST_SECTIONS = 96
const COFF_HEADER = 24
const SECTION_HEADER = 40

type Section = Slice & { name: string }

/** Undefined: it is none, or a broken one. `head`: the first bytes of the file, which has `size` of them. */
export function parseUnified(head: Buffer, size: number): UnifiedImage | undefined {
  const sections = ofDefaultProfile(sectionsOf(head, size) ?? [])
  const kernel = sections.get('.linux')
  if (!kernel || kernel.size === 0) return undefined
  return {
    kernel,
    // Microcode is what the kernel looks for in the first of them.
    initrds: ['.ucode', '.initrd'].flatMap((name) => sections.get(name) ?? []).filter((slice) => slice.size > 0),
    commandLine: sections.get('.cmdline'),
  }
}

/** Undefined where anything of it lies outside of the file. */
function sectionsOf(head: Buffer, size: number): Section[] | undefined {
  if (head.length < 0x40 || head.toString('latin1', 0, 2) !== 'MZ') return undefined
  const pe = head.readUInt32LE(0x3c)
  if (pe + COFF_HEADER > head.length || head.toString('latin1', pe, pe + 4) !== 'PE\0\0') return undefined
  const [count, optional] = [head.readUInt16LE(pe + 6), head.readUInt16LE(pe + 20)]
  const table = pe + COFF_HEADER + optional
  if (count > MOST_SECTIONS || table + count * SECTION_HEADER > head.length) return undefined
  const sections = Array.from({ length: count }, (_, index): Section => {
    const at = table + index * SECTION_HEADER
    const name = head.toString('latin1', at, at + 8).replace(/\0.*$/s, '')
    // The file has them filled up to whole blocks; what is theirs of that VirtualSize tells.
    return {
      name,
      from: head.readUInt32LE(at + 20),
      size: Math.min(head.readUInt32LE(at + 8), head.readUInt32LE(at + 16)),
    }
  })
  return sections.every(({ from, size: length }) => from + length <= size) ? sections : undefined
}

/** What comes before the first `.profile` holds for all; the first profile is the default, and its own sections go before those. */
function ofDefaultProfile(sections: readonly Section[]): Map<string, Section> {
  const found = new Map<string, Section>()
  let profiles = 0
  for (const section of sections) {
    if (section.name === '.profile') profiles += 1
    if (profiles > 1) break
    found.set(section.name, section)
  }
  return found
}

/** Undefined: not what a kernel is told. */
export function commandLineIn(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8').replace(/\0+$/, '').trim().replaceAll(/\s+/g, ' ')
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined
}

/** Of the programs in EFI/Linux, the one that a boot loader would start: the newest, but one whose tries are used up (`name+0-3.efi`) last. */
export function newestUnified(names: readonly string[]): string | undefined {
  const images = names.filter((name) => /\.efi$/i.test(name))
  const used = (name: string): boolean => /\+0(-\d+)?\.efi$/i.test(name)
  const version = (name: string): string => name.replace(/(\+\d+(-\d+)?)?\.efi$/i, '')
  return images
    .toSorted(
      (a, b) => Number(used(b)) - Number(used(a)) || version(a).localeCompare(version(b), 'en', { numeric: true }),
    )
    .at(-1)
}
