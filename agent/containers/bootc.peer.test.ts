import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { encodeConfigDrive, renderConfigDrive } from '../../contract/config-drive.ts'
import type { Container, ContainerBlob } from '../../contract/container.ts'
import { realClock } from '../clock.ts'
import { MiB } from '../disks/disk.ts'
import { loopDisk, temporaryFolder, tool } from '../disks/loop-disk.ts'
import { createLog } from '../log.ts'
import { type BootcInstall, installByBootc } from './bootc.ts'

/** Containers of a busybox and a double of bootc, which no distribution here packages: it lays out a disk, and tells what it sees of the world on
 * that. Everything around it is real: namespaces, tar, the loop device. */

const log = createLog(() => undefined, realClock.now)
const means = { trust: {}, clock: realClock, log, seconds: 30, retries: 1, retryInterval: 0, imageKeys: [] }
const REPORT = 8 * MiB

const bootc = `#!/bin/sh
set -e
words=$*
for device; do :; done
[ "$words" != "\${words#install to-disk }" ] || exit 3
zcat /usr/disk.gz | dd of=$device bs=1M conv=notrunc 2>/dev/null
{
  echo "words $words"
  echo "etc $(ls /etc | tr '\\n' ' ')"
  echo "kept $(ls -A /kept | tr '\\n' ' ')"
  echo "outside $(cat /outside/file)"
  echo "network $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\\n' ' ')"
  echo "layout $(cat /run/bloomery/oci/oci-layout)"
  echo "keys $(cat /run/bloomery/authorized_keys 2>/dev/null)"
  echo "first $([ $$ = 1 ] && echo yes || echo no)"
  echo "left $(ls -A / | grep -c bloomery)"
} | dd of=$device bs=512 seek=${REPORT / 512} conv=notrunc,sync 2>/dev/null
`

function rootOf(files: Record<string, string | Buffer>, links: Record<string, string> = {}): Buffer {
  const folder = temporaryFolder()
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
    chmodSync(join(folder, path), 0o755)
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(folder, path))
  return execFileSync('tar', ['-c', '-C', folder, '.'], { maxBuffer: 64 * MiB })
}

function base(): Buffer {
  const disk = loopDisk(16 * MiB)
  tool('sgdisk', '-n1:1MiB:+2MiB', disk.name)
  const busybox = readFileSync('/bin/busybox')
  const applets = ['sh', 'dd', 'zcat', 'ls', 'tr', 'tail', 'cut', 'cat', 'grep', 'echo']
  return rootOf(
    {
      'usr/bin/busybox': busybox,
      'usr/bin/bootc': bootc,
      'usr/disk.gz': gzipSync(readFileSync(disk.name)),
      'etc/gone': 'x',
      'etc/stays': 'x',
      'kept/old': 'x',
      'real/file': 'below',
    },
    { bin: 'usr/bin', outside: '/real', ...Object.fromEntries(applets.map((name) => [`usr/bin/${name}`, 'busybox'])) },
  )
}

/** Takes a file and a folder's content away, and writes where a link of the layer below leads. */
const above = (): Buffer =>
  rootOf({ 'etc/.wh.gone': '', 'kept/.wh..wh..opq': '', 'kept/new': 'x', 'real/file': 'above' })

async function served(layers: [Buffer, 'gzip' | 'zstd'][], spoil = (bytes: Buffer) => bytes): Promise<Container> {
  const blobs = new Map<string, Buffer>()
  const server = createServer((request, reply) => void reply.end(blobs.get(request.url?.slice(1) ?? '')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const put = (bytes: Buffer, media_type: string): ContainerBlob => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    blobs.set(digest, spoil(bytes))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${digest}`
    return { digest, size: bytes.length, media_type, url }
  }
  return {
    reference: 'registry.example/os:13',
    manifest: put(Buffer.from('{"schemaVersion":2}'), 'application/vnd.oci.image.manifest.v1+json'),
    config: put(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map(([bytes, how]) =>
      put(how === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes), `application/vnd.oci.image.layer.v1.tar+${how}`),
    ),
  }
}

function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.at(-1)! ^ 1, copy.length - 1)
  return copy
}

const wanted = (container: Container, more: Partial<BootcInstall> = {}): BootcInstall => ({
  container,
  configdrive: undefined,
  authorizedKeys: undefined,
  tpm2Luks: false,
  kernelArguments: [],
  ...more,
})

/** Of this test alone, which has a folder for what is temporary. */
let folder = ''
beforeEach(() => {
  folder = temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
})
const isClean = (): boolean => !readFileSync('/proc/self/mounts', 'utf8').includes(`${folder}/container-`)

it('the container’s own bootc runs over its layers, with the disk and without a network, and leaves nothing behind', async () => {
  const disk = loopDisk(2048 * MiB)
  const drive = encodeConfigDrive(renderConfigDrive({ meta_data: { uuid: 'n1' } }))
  const container = await served([
    [base(), 'gzip'],
    [above(), 'zstd'],
  ])
  const asked = {
    configdrive: drive,
    authorizedKeys: 'ssh-ed25519 AAAA me',
    kernelArguments: ['console=ttyS0', 'quiet'],
  }
  const percents: number[] = []
  const said = await installByBootc(wanted(container, asked), disk, means, ({ percent }) => percents.push(percent ?? 0))
  expect(said).toBe(`container (registry.example/os:13) installed to device ${disk.name}`)
  await using handle = await open(disk.name)
  const { buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, REPORT)
  const told = Object.fromEntries(
    buffer
      .toString('utf8')
      .replaceAll('\0', '')
      .split('\n')
      .map((line) => line.split(/ (.*)/s).slice(0, 2)),
  ) as Record<string, string>
  expect(told['words']).toMatch(
    new RegExp(
      `^install to-disk --wipe .*--source-imgref oci:/run/bloomery/oci --target-imgref registry.example/os:13 --root-ssh-authorized-keys \\S+ --root-size 51\\dM --karg console=ttyS0 --karg quiet ${disk.name}$`,
    ),
  )
  expect(told).toMatchObject({
    etc: 'stays ',
    kept: 'new ',
    outside: 'above',
    network: 'lo ',
    layout: '{"imageLayoutVersion":"1.0.0"}',
    keys: 'ssh-ed25519 AAAA me',
    first: 'no',
    left: '0',
  })
  expect(percents.at(-1)).toBe(50)
  expect(tool('sgdisk', '-p', disk.name)).toMatch(/config-2/)
  expect(isClean()).toBe(true)
})

it.each([
  ['has no bootc', () => served([[rootOf({ 'usr/bin/busybox': 'x' }), 'gzip']]), /failed: exit code 127/],
  ['was changed on its way', () => served([[base(), 'gzip']], changed), /of the container came as/],
  [
    'is longer than it says',
    () => served([[base(), 'gzip']], (bytes) => Buffer.concat([bytes, bytes])),
    /has more than/,
  ],
  ['is no archive', () => served([[Buffer.alloc(4096, 'no tar'), 'gzip']]), /unpacking the container failed/],
] as const)('a container that %s is refused, and nothing stays mounted', async (_, make, why) => {
  const disk = loopDisk(16 * MiB)
  await expect(installByBootc(wanted(await make()), disk, means, () => {})).rejects.toThrow(why)
  expect(isClean()).toBe(true)
})

it('a ramdisk that takes signed images alone takes no container', async () => {
  const disk = loopDisk(16 * MiB)
  const container = await served([[rootOf({}), 'gzip']])
  const strict = { ...means, imageKeys: ['a key'] }
  await expect(installByBootc(wanted(container), disk, strict, () => {})).rejects.toThrow('only signed images')
})

it('a disk without room for a config drive beside a system is refused', async () => {
  const disk = loopDisk(16 * MiB)
  const drive = encodeConfigDrive(renderConfigDrive({ meta_data: { uuid: 'n1' } }))
  const container = await served([[base(), 'gzip']])
  await expect(installByBootc(wanted(container, { configdrive: drive }), disk, means, () => {})).rejects.toThrow(
    'has no room for a system and a config drive',
  )
})
