/** What `efibootmgr -v` lists: the firmware's boot entries (UEFI 2.10 §3.1.3), each with its device path. */
export interface BootRecord {
  /** Four hexadecimal digits. */
  id: string
  label: string
  path: string
}

export function bootRecords(listed: string): BootRecord[] {
  return listed.split('\n').flatMap((line) => {
    const [, id, rest] = /^Boot([0-9A-Fa-f]{4})[* ] (.*)$/.exec(line) ?? []
    if (id === undefined || rest === undefined) return []
    const [label = '', path = ''] = rest.split('\t')
    return { id, label: label.trim(), path: path.trim() }
  })
}

/** What an operating system leaves behind: entries of a loader on a disk. Those of the firmware itself and of the network stay. */
const leftBehind = [/HD\(/, /\/File\(/]

export function recordsToDelete(
  records: readonly BootRecord[],
  patterns: readonly RegExp[] = leftBehind,
): BootRecord[] {
  return records.filter(({ label, path }) => patterns.some((pattern) => pattern.test(path) || pattern.test(label)))
}
