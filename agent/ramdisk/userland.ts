import { realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Entry } from './cpio.ts'
import { run } from './run.ts'

/** Where the programs come from. libstdc++6 and libgcc-s1 are Node's. */
export const userlandPackages: readonly string[] = [
  'busybox-static',
  'efibootmgr',
  'fdisk',
  'gdisk',
  'libgcc-s1',
  'libstdc++6',
  'parted',
  'util-linux',
]

/** Real programs for what touches disks and firmware; busybox does the rest. */
const programs: readonly string[] = [
  'blkdiscard',
  'blockdev',
  'efibootdump',
  'efibootmgr',
  'lsblk',
  'parted',
  'partprobe',
  'partx',
  'sfdisk',
  'sgdisk',
  'wipefs',
]

const programFolders = ['usr/sbin', 'usr/bin', 'sbin', 'bin']
const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']

/** The programs, every busybox applet that no program replaces, and the libraries that all of these and Node load. */
export async function userland(root: string, node: string): Promise<Entry[]> {
  const files = await Promise.all(programs.map((name) => programIn(root, name)))
  const busybox = await programIn(root, 'busybox')
  const taken = new Set([...programs, 'busybox'])
  const applets = (await run(busybox, ['--list'])).split('\n').filter((name) => /^[\w.[-]+$/.test(name))
  return [
    ...[...files, busybox].map((from) => executable(`usr/bin/${basename(from)}`, from)),
    ...applets.filter((name) => !taken.has(name)).map((name) => link(`usr/bin/${name}`, 'busybox')),
    ...(await librariesOf(root, [...files, node])),
  ]
}

async function programIn(root: string, name: string): Promise<string> {
  for (const folder of programFolders) {
    const path = join(root, folder, name)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  throw new Error(`no program ${name} in the unpacked packages ${userlandPackages.join(', ')}`)
}

/** The unpacked system's own loader says what it would load, so nothing of the building machine gets in. */
async function librariesOf(root: string, files: readonly string[]): Promise<Entry[]> {
  // /lib64 of an unpacked libc6 is an absolute link that points outside of the tree.
  const loader = await realpath(join(root, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'))
  const path = libraryFolders.map((folder) => join(root, folder)).join(':')
  const libraries = new Map([['loader', executable('usr/lib64/ld-linux-x86-64.so.2', loader)]])
  for (const file of files) {
    const listed = await run(loader, ['--library-path', path, '--list', file])
    for (const [, name = '', from = ''] of listed.matchAll(/^\s*([^/\s]\S*) => (\S+)/gm)) {
      if (!from.startsWith(root)) throw new Error(`${basename(file)} needs ${name}, which no unpacked package brings`)
      libraries.set(name, executable(`usr/lib/x86_64-linux-gnu/${name}`, await realpath(from)))
    }
  }
  return [...libraries.values()]
}

function executable(path: string, from: string): Entry {
  return { path, kind: 'file', mode: 0o755, content: { from } }
}

function link(path: string, target: string): Entry {
  return { path, kind: 'link', target }
}
