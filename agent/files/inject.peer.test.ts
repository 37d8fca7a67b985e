import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { realClock } from '../clock.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { loopDisk, temporaryFolder, tool } from '../disks/loop-disk.ts'
import { createLog } from '../log.ts'
import { injectFiles } from './inject.ts'
import { injectArguments } from './wanted.ts'

const log = createLog(() => {}, realClock.now)

/** A FAT partition with nothing in it, and a root file system whose links lead out of it. */
function system(): Disk {
  const disk = loopDisk(64 * MiB)
  tool('sgdisk', '--new', '1:2048:+8M', '--new', '2:0:+32M', disk.name)
  tool('partx', '--update', disk.name)
  tool('mkfs.vfat', `${disk.name}p1`)
  const root = join(temporaryFolder(), 'root')
  for (const [path, text] of Object.entries({
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\nadmin:x:1007:1008::/home/admin:/bin/sh\n',
    'etc/group': 'root:x:0:\nstaff:x:1050:\n',
    'etc/old/kept': 'old',
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  symlinkSync('/etc', join(root, 'config'))
  symlinkSync('/etc/passwd', join(root, 'etc/link'))
  tool('mke2fs', '-q', '-t', 'ext4', '-d', root, `${disk.name}p2`)
  return disk
}

const inject = (disk: Disk, files: unknown[]) =>
  injectFiles(injectArguments.parse({ files }).files, disk, { trust: {}, seconds: 10, log })
const read = (disk: Disk, command: string) => tool('debugfs', '-R', command, `${disk.name}p2`)

it('puts files where they belong, with owner and mode, makes folders, and takes files out', async () => {
  const server = createServer((_, reply) => reply.end('from afar')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`
  const disk = system()
  await inject(disk, [
    {
      path: '/etc/motd',
      content: Buffer.from('hello').toString('base64'),
      mode: '0600',
      owner: 'admin',
      group: 'staff',
    },
    { path: '/etc/new/deep/file', content: url, dirmode: '0700' },
    { path: '/etc/old', deleted: true },
    { path: '/etc/never-there', deleted: true },
    { path: '/file', content: '', partition: 2 },
  ])
  expect(read(disk, 'cat /etc/motd')).toBe('hello')
  expect(read(disk, 'stat /etc/motd')).toMatch(/Mode:\s+0600[^]*User:\s+1007\s+Group:\s+1050/)
  expect(read(disk, 'cat /etc/new/deep/file')).toBe('from afar')
  expect(read(disk, 'stat /etc/new')).toMatch(/Mode:\s+0700/)
  expect(read(disk, 'ls -p /etc')).not.toMatch(/old|never/)
  expect(read(disk, 'ls -p /')).toContain('/file/')
  tool('e2fsck', '-fn', `${disk.name}p2`)
})

it('never follows a link out of the system, nor writes through one', async () => {
  const disk = system()
  const before = statSync('/etc/passwd')
  const content = Buffer.from('mine').toString('base64')
  await inject(disk, [
    { path: '/config/injected', content },
    { path: '/etc/link', content },
  ])
  expect(read(disk, 'cat /etc/injected')).toBe('mine')
  expect(read(disk, 'cat /etc/link')).toBe('mine')
  expect(read(disk, 'cat /etc/passwd')).toContain('admin')
  expect(statSync('/etc/passwd').mtimeMs).toBe(before.mtimeMs)
})

it.each([
  [{ path: '/srv/x', content: '' }, /no partition of .* has a folder \/srv/],
  [{ path: '/x', content: '' }, /say which partition/],
  [{ path: '/etc/x', content: '', partition: 7 }, /has no partition 7; it has .*p1 \(vfat\), .*p2 \(ext4\)/],
  [{ path: '/etc/x', content: '?' }, /neither base64 nor a URL/],
  [{ path: '/etc/x', content: '', owner: 'nobody-here' }, /no user nobody-here/],
])('says what is wrong with %j', async (file, why) => {
  await expect(inject(system(), [file])).rejects.toThrow(why)
})
