export interface Loader {
  /** As firmware writes it: \EFI\BOOT\BOOTX64.EFI. */
  path: string
  label: string
}

/** What the UEFI specification calls the architectures in file names, §3.5.1.1. */
const names: Record<string, string> = { x64: 'X64', arm64: 'AA64' }

/** The loader on an EFI system partition: the one that a distribution announces in a BOOT….CSV beside it, else the one
 * at the path for removable media. */
export async function chooseLoader(
  files: readonly string[],
  architecture: string,
  read: (file: string) => Promise<Buffer>,
): Promise<Loader | undefined> {
  const arch = names[architecture]
  if (arch === undefined) return undefined
  const matching = (pattern: RegExp) =>
    files.toSorted((a, b) => a.localeCompare(b)).filter((file) => pattern.test(file))
  for (const csv of matching(new RegExp(`^EFI/[^/]+/BOOT(?:${arch})?\\.CSV$`, 'i'))) {
    const announced = parseCsv(await read(csv))
    const path = announced && csv.replace(/[^/]+$/, announced.file)
    if (announced && path && files.some((file) => file.toLowerCase() === path.toLowerCase()))
      return { path: firmwarePath(path), label: announced.label }
  }
  const [removable] = matching(new RegExp(`^EFI/BOOT/BOOT${arch}\\.EFI$`, 'i'))
  return removable === undefined ? undefined : { path: firmwarePath(removable), label: 'Deployed image' }
}

/** `shimx64.efi,debian,,comment` in UTF-16 with a byte order mark, as shim's fallback reads it. */
function parseCsv(bytes: Buffer): { file: string; label: string } | undefined {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe
  const text = wide ? bytes.subarray(2, 4096).toString('utf16le') : bytes.subarray(0, 4096).toString('latin1')
  const [file = '', label = ''] = text.split(/\r?\n/)[0]?.split(',') ?? []
  if (!/^[\w.-]{1,64}$/.test(file) || !/^[\w .()-]{1,64}$/.test(label)) return undefined
  return { file, label }
}

function firmwarePath(path: string): string {
  return `\\${path.replaceAll('/', '\\')}`
}

/** Numbers of the entries that efibootmgr lists under a label: `Boot0003* debian	HD(…)`. */
export function entriesLabelled(listed: string, label: string): string[] {
  return listed.split('\n').flatMap((line) => {
    const entry = /^Boot([0-9A-F]{4})\*? (.*?)(?:\t.*)?$/i.exec(line)
    return entry?.[1] !== undefined && entry[2]?.trim() === label ? [entry[1]] : []
  })
}
