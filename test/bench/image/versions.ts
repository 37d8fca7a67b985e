import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { isZero } from '@bloomery/image/chunks.ts'
import { tool } from './loop.ts'

const MiB = 1024 * 1024
const BLOCK = 4096
/** Of the files of this machine, those of the first version; what is new comes from those after them. */
const CONTENTS = ['/usr/lib/x86_64-linux-gnu']
const PER_CENT = 5

export interface Version {
  what: string
  path: string
}

/** An ext4 with so many MiB of files, and what becomes of it when a twentieth of it changes, in four ways. */
export async function makeVersions(dir: string, mebibytes: number): Promise<{ first: string; others: Version[] }> {
  const tree = join(dir, 'tree')
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree)
  const files = filesUnder(CONTENTS)
  const old = taken(files, mebibytes * MiB)
  const fresh = taken(files.slice(old.length), (mebibytes * MiB) / 10)
  for (const [at, file] of old.entries()) {
    const folder = join(tree, String(at % 50))
    mkdirSync(folder, { recursive: true })
    cpSync(file, join(folder, String(at)))
  }
  const first = await fileSystem(dir, 'first', tree, mebibytes * 2)
  const contents = Buffer.concat(fresh.map((file) => readFileSync(file)))
  const others = [
    { what: 'one chunk in twenty', path: await changed(dir, 'chunks', first, MiB, contents) },
    { what: 'one block of 4 KiB in twenty', path: await changed(dir, 'blocks', first, BLOCK, contents) },
  ]
  const replace = (root: string): void => {
    for (let at = 0, size = 0; size < (mebibytes * MiB * PER_CENT) / 100; at += 19) {
      const path = join(root, String(at % 50), String(at % old.length))
      const other = fresh[at % fresh.length]!
      size += statSync(other).size
      rmSync(path, { force: true })
      cpSync(other, path)
    }
  }
  const upgraded = join(dir, 'upgraded')
  copyFileSync(first, upgraded)
  const mounted = join(dir, 'mounted')
  mkdirSync(mounted, { recursive: true })
  await tool('mount', '-o', 'loop', upgraded, mounted)
  try {
    replace(mounted)
  } finally {
    await tool('umount', mounted)
  }
  others.push({ what: 'files of a twentieth of its bytes, in place', path: upgraded })
  replace(tree)
  others.push({
    what: 'the same, and the file system made anew',
    path: await fileSystem(dir, 'anew', tree, mebibytes * 2),
  })
  rmSync(tree, { recursive: true })
  return { first, others }
}

async function fileSystem(dir: string, name: string, tree: string, mebibytes: number): Promise<string> {
  const path = join(dir, name)
  rmSync(path, { force: true })
  const file = await open(path, 'wx')
  await file.close()
  truncateSync(path, mebibytes * MiB)
  const seed = '11111111-2222-4333-8444-555555555555'
  await tool('mke2fs', '-q', '-t', 'ext4', '-U', seed, '-E', `hash_seed=${seed}`, '-d', tree, path)
  return path
}

/** Every twentieth piece that isn't empty, by something of its kind. */
async function changed(dir: string, name: string, first: string, piece: number, contents: Buffer): Promise<string> {
  const path = join(dir, name)
  copyFileSync(first, path)
  const file = await open(path, 'r+')
  const bytes = Buffer.alloc(piece)
  let full = 0
  for (let at = 0; at + piece <= statSync(path).size; at += piece) {
    await file.read(bytes, 0, piece, at)
    if (isZero(bytes)) continue
    full += 1
    if (full % (100 / PER_CENT) === 0)
      await file.write(contents, (full * 131 * BLOCK) % (contents.length - piece), piece, at)
  }
  await file.close()
  return path
}

function filesUnder(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}

function taken(files: readonly string[], bytes: number): string[] {
  let size = 0
  return files.filter((file) => {
    const fits = size < bytes && statSync(file).size < bytes / 4
    if (fits) size += statSync(file).size
    return fits
  })
}
