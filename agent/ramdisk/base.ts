import { fileURLToPath } from 'node:url'
import type { Entry } from './cpio.ts'

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const text = (path: string, content: string): Entry => ({
  path,
  kind: 'file',
  mode: 0o644,
  content: Buffer.from(content),
})

/** What is neither a package's nor a module: folders, the scripts, and the few files that libc and Node look for. */
export const skeleton: readonly Entry[] = [
  ...['dev', 'proc', 'sys', 'run', 'root', 'mnt', 'var/log', 'etc/bloomery'].map((path): Entry => ({
    path,
    kind: 'directory',
  })),
  { path: 'tmp', kind: 'directory', mode: 0o1777 },
  ...['bin', 'sbin', 'lib', 'lib64'].map((path): Entry => ({ path, kind: 'link', target: `usr/${path}` })),
  // One folder holds all programs; init and the agent look in both.
  { path: 'usr/sbin', kind: 'link', target: 'bin' },
  { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
  { path: 'init', kind: 'file', mode: 0o755, content: { from: beside('init.sh') } },
  { path: 'usr/share/udhcpc/script', kind: 'file', mode: 0o755, content: { from: beside('udhcpc.sh') } },
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
  text('etc/group', 'root:x:0:\n'),
  text('etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'),
  text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
]
