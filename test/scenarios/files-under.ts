import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** All files in a folder, with what is in them; programs may be at work there: what is gone meanwhile holds nothing. */
export function filesUnder(dir: string): { path: string; bytes: Buffer }[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    try {
      return entry.isDirectory() ? filesUnder(path) : bytesOf(entry, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}

const bytesOf = (entry: Dirent, path: string) => (entry.isFile() ? [{ path, bytes: readFileSync(path) }] : [])
