import { realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Architecture } from './apt.ts'
import type { Entry } from './cpio.ts'
import { grubFiles, grubPackages } from './grub.ts'
import { run } from './run.ts'

/** Where the programs come from. libstdc++6 and libgcc-s1 are Node's. */
export const userlandPackages = (architecture: Architecture): string[] => [
  'busybox-static',
  'dosfstools',
  'e2fsprogs',
  'efibootmgr',
  'fdisk',
  'gdisk',
  'grub-common',
  ...grubPackages[architecture],
  'hdparm',
  'libgcc-s1',
  'libstdc++6',
  'mdadm',
  'mtools',
  'nvme-cli',
  'parted',
  'util-linux',
]

/** Real programs for what touches disks and firmware; busybox does the rest. */
const programs: readonly string[] = [
  'blkid',
  'blkdiscard',
  'blockdev',
  'efibootdump',
  'efibootmgr',
  'grub-mkimage',
  'hdparm',
  'lsblk',
  'mcopy',
  'mdadm',
  'mkfs.ext4',
  'mkfs.vfat',
  'mkswap',
  'nvme',
  'parted',
  'partprobe',
  'partx',
  'sfdisk',
  'sgdisk',
  'wipefs',
]

const programFolders = ['usr/sbin', 'usr/bin', 'sbin', 'bin']

/** Where Debian keeps the libraries of a processor, and where its programs look for their loader (the ELF interpreter). */
const platforms = {
  amd64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2', at: 'usr/lib64' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1', at: 'usr/lib' },
} as const

export interface UserlandParts {
  /** The unpacked packages. */
  root: string
  architecture: Architecture
  /** That of the ramdisk's processor. */
  node: string
  /** A busybox that runs here, of the same version, to say what its applets are. */
  speaks: string
}

/** The programs, every busybox applet that no program replaces, and the libraries that all of these and Node load. */
export async function userland({ root, architecture, node, speaks }: UserlandParts): Promise<Entry[]> {
  const files = await Promise.all(programs.map((name) => programIn(root, name)))
  const busybox = await programIn(root, 'busybox')
  const taken = new Set([...programs, 'busybox'])
  const applets = (await run(speaks, ['--list'])).split('\n').filter((name) => /^[\w.[-]+$/.test(name))
  return [
    ...[...files, busybox].map((from) => executable(`usr/bin/${basename(from)}`, from)),
    ...applets.filter((name) => !taken.has(name)).map((name) => link(`usr/bin/${name}`, 'busybox')),
    ...(await librariesOf(root, architecture, [...files, node])),
    ...(await grubFiles(root, architecture)),
  ]
}

export async function programIn(root: string, name: string): Promise<string> {
  for (const folder of programFolders) {
    const path = join(root, folder, name)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  throw new Error(`no program ${name} in the unpacked packages of the ramdisk`)
}

/** What the files say that they need (DT_NEEDED), and what that needs, out of the unpacked packages: nothing of the building machine. */
export async function librariesOf(
  root: string,
  architecture: Architecture,
  files: readonly string[],
): Promise<Entry[]> {
  const { triplet, loader, at } = platforms[architecture]
  const found = new Map<string, Entry>([
    [loader, executable(`${at}/${loader}`, await libraryIn(root, triplet, loader, 'every program'))],
  ])
  const queue = [...files]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const dynamic = await run('readelf', ['--dynamic', '--wide', file])
    for (const [, name = ''] of dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
      if (found.has(name)) continue
      const from = await libraryIn(root, triplet, name, basename(file))
      found.set(name, executable(`usr/lib/${triplet}/${name}`, from))
      queue.push(from)
    }
  }
  return [...found.values()]
}

async function libraryIn(root: string, triplet: string, name: string, needer: string): Promise<string> {
  for (const folder of [`lib/${triplet}`, `usr/lib/${triplet}`]) {
    const path = await realpath(join(root, folder, name)).catch(() => undefined)
    if (path?.startsWith(root)) return path
  }
  throw new Error(`${needer} needs ${name}, which no unpacked package brings`)
}

function executable(path: string, from: string): Entry {
  return { path, kind: 'file', mode: 0o755, content: { from } }
}

function link(path: string, target: string): Entry {
  return { path, kind: 'link', target }
}
