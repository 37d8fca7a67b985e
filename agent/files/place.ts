import { lstat, mkdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailure } from '../failure.ts'

/** Where links of a foreign system lead: never out of it, as chroot(2) would have it, for they are what somebody's image says. */

const MOST_LINKS = 40

/** The path on this machine that `path` is inside of the system mounted at `root`; links are followed, of the last part if `whole`. */
export async function inside(root: string, path: string, whole = false): Promise<string> {
  let links = 0
  const left = partsOf(path)
  const done: string[] = []
  while (left.length > 0) {
    const part = left.shift()!
    if (part === '..') {
      done.pop()
      continue
    }
    const here = join(root, ...done, part)
    const isLink = (whole || left.length > 0) && (await lstat(here).catch(() => undefined))?.isSymbolicLink()
    if (!isLink) {
      done.push(part)
      continue
    }
    links += 1
    if (links > MOST_LINKS)
      throw new CommandFailure('InjectFilesError', `${path}: more than ${MOST_LINKS} symbolic links`)
    const target = await readlink(here)
    if (target.startsWith('/')) done.length = 0
    left.unshift(...partsOf(target))
  }
  return join(root, ...done)
}

/** Makes the folders that are not there. */
export async function makeFolders(root: string, folder: string, mode: number): Promise<string> {
  const parts = partsOf(folder)
  let path = ''
  for (const part of parts) {
    path = `${path}/${part}`
    const at = await inside(root, path, true)
    await mkdir(at, { mode, recursive: true })
  }
  return inside(root, folder, true)
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
