/** Members of a cpio archive in the "newc" form, which the Linux kernel unpacks as its ramdisk: as many archives as there are, one
 * after the other (Documentation/driver-api/early-userspace/buffer-format). Owner and times are constants. */

export type CpioMember =
  | { path: string; kind: 'directory'; mode?: number }
  | { path: string; kind: 'file'; mode: number }
  | { path: string; kind: 'link' }
  | { path: string; kind: 'character'; mode: number; major: number; minor: number }

const type = { directory: 0o040000, file: 0o100000, link: 0o120000, character: 0o020000 } as const

/**
 *   magic(6) ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check (8 hex digits each)
 */
export function cpioHeader(entry: CpioMember, inode: number, size: number): Uint8Array {
  const path = Buffer.from(entry.path)
  const device = entry.kind === 'character' ? [entry.major, entry.minor] : [0, 0]
  const links = entry.kind === 'directory' ? 2 : 1
  const fields = [inode, modeOf(entry), 0, 0, links, 0, size, 0, 0, ...device, path.length + 1, 0]
  const text = '070701' + fields.map((value) => value.toString(16).padStart(8, '0')).join('')
  const used = text.length + path.length + 1
  return Buffer.concat([Buffer.from(text), path, Buffer.alloc(1), cpioPadding(used)])
}

function modeOf(entry: CpioMember): number {
  const permissions = entry.kind === 'link' ? 0o777 : (entry.mode ?? 0o755)
  return type[entry.kind] | permissions
}

export function cpioPadding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4)
}

export function cpioTrailer(): Uint8Array {
  return cpioHeader({ path: 'TRAILER!!!', kind: 'file', mode: 0 }, 0, 0)
}

/** A small archive of files, whose folders others have made. */
export function cpioOfFiles(files: readonly { path: string; mode: number; content: Uint8Array }[]): Uint8Array {
  const members = files.flatMap(({ path, mode, content }, index) => [
    cpioHeader({ path, kind: 'file', mode }, index + 1, content.length),
    content,
    cpioPadding(content.length),
  ])
  return Buffer.concat([...members, cpioTrailer()])
}
