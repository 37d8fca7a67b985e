import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BootIso, bootIso } from './boot-iso.ts'
import { openCdLoaders } from './loaders.ts'
import { readIso } from './read-iso.ts'

const run = promisify(execFile)
let dir: string
let volume: string
let iso: BootIso

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'boot-iso-'))
  const kernel = join(dir, 'kernel')
  const initrd = join(dir, 'initrd')
  await writeFile(kernel, Buffer.alloc(5000, 'kernel'))
  await writeFile(initrd, Buffer.alloc(70_001, 'initrd'))
  iso = bootIso({
    node: 'n1',
    cmdline: 'ipa-api-url=https://10.0.0.1:6385 console=ttyS0',
    loaders: await openCdLoaders('x86_64'),
    kernel: { path: kernel, size: 5000 },
    initrd: { path: initrd, size: 70_001 },
    network: 'address 52:54:00:aa:00:01 10.0.0.5/24\n',
    networkData: { links: [], networks: [], services: [] },
    agentToken: 'a-token-of-this-boot',
  })
  volume = join(dir, 'boot.iso')
  await pipeline(Readable.from(readIso(iso, 0, iso.size - 1)), createWriteStream(volume))
})
afterAll(() => rm(dir, { recursive: true }))

test('xorriso finds the boot images for BIOS and UEFI, with the table that GRUB needs', async () => {
  const { stdout } = await run('xorriso', ['-indev', volume, '-report_el_torito', 'plain'])
  expect(stdout).toMatch(/El Torito cat path : \/boot\/boot\.cat/)
  expect(stdout).toMatch(/El Torito boot img : +1 +BIOS +y +none +0x0000 +0x00 +4 /)
  expect(stdout).toMatch(/El Torito boot img : +2 +UEFI +y +none /)
  expect(stdout).toMatch(/El Torito img opts : +1 +boot-info-table/)
})

test('xorriso reads back every file', async () => {
  const out = join(dir, 'out')
  await run('xorriso', ['-osirrox', 'on', '-indev', volume, '-extract', '/', out])
  expect(await readFile(join(out, 'boot/kernel'), 'latin1')).toBe('kernel'.repeat(834).slice(0, 5000))
  expect((await readFile(join(out, 'boot/initrd'))).length).toBe(70_001)
  expect(await readFile(join(out, 'boot/grub/grub.cfg'), 'utf8')).toContain("linux /boot/kernel 'ipa-api-url=")
  expect(JSON.parse(await readFile(join(out, 'openstack/latest/network_data.json'), 'utf8'))).toHaveProperty('links')
  const { stdout } = await run('cpio', ['-itv', '--quiet', '-F', join(out, 'boot/config.cpio')])
  const modes = stdout
    .trim()
    .split('\n')
    .map((line) => [line.split(/\s+/)[0], line.split(/\s+/).at(-1)])
  expect(modes).toEqual([
    ['-rw-------', 'etc/bloomery/network'],
    ['-rw-------', 'etc/bloomery/agent-token'],
  ])
})

test('mtools read shim and GRUB from the boot partition, whole', async () => {
  const partition = join(dir, 'uefi.img')
  await writeFile(partition, (await openCdLoaders('x86_64')).uefi!)
  const copy = join(dir, 'copy.efi')
  for (const [name, from] of [
    ['BOOTX64.EFI', '/usr/lib/shim/shimx64.efi.signed'],
    ['GRUBX64.EFI', '/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed'],
  ] as const) {
    await run('mcopy', ['-o', '-i', partition, `::EFI/BOOT/${name}`, copy])
    expect(Buffer.compare(await readFile(copy), await readFile(from)), name).toBe(0)
  }
})

test('any piece of it is the same as that piece of the whole', async () => {
  const whole = await readFile(volume)
  for (const [first, last] of [
    [0, 0],
    [2047, 2049],
    [iso.size - 70_000, iso.size - 1],
    [100_000, 3_000_000],
  ] as const) {
    const pieces: Uint8Array[] = []
    for await (const piece of readIso(iso, first, last)) pieces.push(piece)
    expect(Buffer.compare(Buffer.concat(pieces), whole.subarray(first, last + 1)), `${first}-${last}`).toBe(0)
  }
})
