import { readFile } from 'node:fs/promises'
import { cpioHeader, cpioPadding, cpioTrailer } from '../../contract/cpio.ts'

export type Entry =
  | { path: string; kind: 'directory'; mode?: number }
  | { path: string; kind: 'file'; mode: number; content: Uint8Array | { from: string } }
  | { path: string; kind: 'link'; target: string }
  | { path: string; kind: 'character'; mode: number; major: number; minor: number }

/**
 * A cpio archive in the "newc" form that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format).
 * Owner, times and inode numbers are constants and entries are sorted, so equal trees give equal bytes.
 */
export async function* writeCpio(entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  const sorted = withParents(entries)
  for (const [index, entry] of sorted.entries()) {
    const data = await contentOf(entry)
    yield cpioHeader(entry, index + 1, data.length)
    yield data
    yield cpioPadding(data.length)
  }
  yield cpioTrailer()
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
