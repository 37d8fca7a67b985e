import { readFile } from 'node:fs/promises'

export type Entry =
  | { path: string; kind: 'directory'; mode?: number }
  | { path: string; kind: 'file'; mode: number; content: Uint8Array | { from: string } }
  | { path: string; kind: 'link'; target: string }
  | { path: string; kind: 'character'; mode: number; major: number; minor: number }

const type = { directory: 0o040000, file: 0o100000, link: 0o120000, character: 0o020000 } as const

/**
 * A cpio archive in the "newc" form that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format).
 * Owner, times and inode numbers are constants and entries are sorted, so equal trees give equal bytes.
 */
export async function* writeCpio(entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  const sorted = withParents(entries)
  for (const [index, entry] of sorted.entries()) {
    const data = await contentOf(entry)
    yield header(entry, index + 1, data.length)
    yield data
    yield padding(data.length)
  }
  yield header({ path: 'TRAILER!!!', kind: 'file', mode: 0, content: new Uint8Array() }, 0, 0)
}

/** The kernel makes no parent directories itself. Of two entries for one path the last wins. */
function withParents(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>()
  for (const entry of entries) {
    const parts = entry.path.split('/')
    if (parts.some((part) => part === '' || part === '.' || part === '..'))
      throw new Error(`cpio path "${entry.path}" must be relative and plain`)
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/')
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, kind: 'directory' })
    }
    byPath.set(entry.path, entry)
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function contentOf(entry: Entry): Promise<Uint8Array> {
  if (entry.kind === 'link') return Buffer.from(entry.target)
  if (entry.kind !== 'file') return new Uint8Array()
  return entry.content instanceof Uint8Array ? entry.content : readFile(entry.content.from)
}

/**
 *   magic(6) ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check (8 hex digits each)
 */
function header(entry: Entry, inode: number, size: number): Uint8Array {
  const path = Buffer.from(entry.path)
  const device = entry.kind === 'character' ? [entry.major, entry.minor] : [0, 0]
  const links = entry.kind === 'directory' ? 2 : 1
  const fields = [inode, modeOf(entry), 0, 0, links, 0, size, 0, 0, ...device, path.length + 1, 0]
  const text = '070701' + fields.map((value) => value.toString(16).padStart(8, '0')).join('')
  const used = text.length + path.length + 1
  return Buffer.concat([Buffer.from(text), path, Buffer.alloc(1), padding(used)])
}

function modeOf(entry: Entry): number {
  const permissions = entry.kind === 'link' ? 0o777 : (entry.mode ?? 0o755)
  return type[entry.kind] | permissions
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4)
}
