import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { realClock } from '../clock.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { identify } from '../disks/identify.ts'
import { loopDisk, temporaryFolder, tool } from '../disks/loop-disk.ts'
import { installLoaders } from '../loader/install.ts'
import { createLog } from '../log.ts'
import { deployPartitions } from './deploy.ts'

const log = createLog(() => undefined, realClock.now)
const means = { trust: {}, clock: realClock, log, seconds: 30, retries: 2, retryInterval: 0, imageKeys: [] }
const uuid = 'b100e410-7e57-4000-8000-000000000002'

/** A root file system with these files in it. */
function rootImage(files: Record<string, string>): Buffer {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'root'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'root', path)), { recursive: true })
    writeFileSync(join(folder, 'root', path), text)
  }
  tool('mke2fs', '-q', '-t', 'ext4', '-U', uuid, '-d', join(folder, 'root'), join(folder, 'image'), '8M')
  return readFileSync(join(folder, 'image'))
}

async function deploy(disk: Disk, bytes: Buffer, asked: object, firmware: 'uefi' | 'bios' = 'uefi') {
  const server = createServer((_request, response) => response.end(bytes))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const image_info = {
    id: 'root',
    urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/root`],
    os_hash_algo: 'sha256',
    os_hash_value: createHash('sha256').update(bytes).digest('hex'),
    image_type: 'partition',
    root_mb: 16,
    ...asked,
  }
  return deployPartitions({ image_info }, disk, firmware, means, () => {})
}

const on = (disk: Disk, number: number) => `${disk.name}p${number}`
const files = (partition: string) => tool('mdir', '-b', '-/', '-i', partition, '::/').split('\n').filter(Boolean)

describe('a partition image', () => {
  it('stands on its root partition, with swap and ephemeral before it, and is told by its file systems', async () => {
    const disk = loopDisk(300 * MiB)
    const { root } = await deploy(disk, rootImage({ 'boot/vmlinuz': 'k' }), { swap_mb: 4, ephemeral_mb: 8 })
    expect(root).toBe(4)
    expect(tool('sgdisk', '-v', disk.name)).toContain('No problems found')
    expect(tool('blkid', '-p', '-o', 'value', '-s', 'LABEL', on(disk, 2)).trim()).toBe('ephemeral0')
    expect(tool('blkid', '-p', '-o', 'value', '-s', 'TYPE', on(disk, 3)).trim()).toBe('swap')
    tool('e2fsck', '-fn', on(disk, 4))
    expect(await identify(disk, root)).toMatchObject({
      'root uuid': uuid,
      partitions: { '1': on(disk, 1), '4': on(disk, 4) },
    })
  })

  it('written again keeps what is on the ephemeral partition, and refuses where the partitions are others', async () => {
    const disk = loopDisk(64 * MiB)
    const asked = { ephemeral_mb: 8, ephemeral_format: 'vfat' }
    await deploy(disk, rootImage({ 'boot/vmlinuz': 'k' }), asked, 'bios')
    const kept = join(temporaryFolder(), 'kept')
    writeFileSync(kept, 'precious')
    tool('mcopy', '-i', on(disk, 1), kept, '::/kept')
    const again = { ...asked, preserve_ephemeral: true }
    await deploy(disk, rootImage({ 'boot/vmlinuz': 'k2' }), again, 'bios')
    expect(tool('mtype', '-i', on(disk, 1), '::/kept')).toBe('precious')
    tool('e2fsck', '-fn', on(disk, 2))
    await expect(deploy(disk, rootImage({}), { ...again, ephemeral_mb: 9 }, 'bios')).rejects.toThrow(/is to be kept/)
    await deploy(disk, rootImage({ 'boot/vmlinuz': 'k' }), asked, 'bios')
    expect(() => tool('mtype', '-i', on(disk, 1), '::/kept')).toThrow('not found')
  })

  it('whose digest is wrong leaves no file system', async () => {
    const disk = loopDisk(64 * MiB)
    const wrong = { os_hash_value: '0'.repeat(64) }
    await expect(deploy(disk, rootImage({}), wrong, 'bios')).rejects.toThrow('failed verification')
    expect(tool('blkid', '-p', '-o', 'export', on(disk, 1))).not.toMatch(/^TYPE=/m)
  })
})

describe('its loader under UEFI', () => {
  const installed = async (contents: Record<string, string>) => {
    const disk = loopDisk(230 * MiB)
    const { root } = await deploy(disk, rootImage(contents), {})
    expect(await installLoaders({ disk, holders: [], root, kernelArguments: '' }, true)).toEqual([{ disk, esp: 1 }])
    return on(disk, 1)
  }

  it('is what the image has for an EFI system partition', async () => {
    const esp = await installed({ 'boot/efi/EFI/BOOT/BOOTX64.EFI': 'own', 'boot/efi/EFI/debian/grub.cfg': 'menu' })
    expect(files(esp)).toEqual(expect.arrayContaining(['::/EFI/BOOT/BOOTX64.EFI', '::/EFI/debian/grub.cfg']))
    expect(tool('mtype', '-i', esp, '::/EFI/BOOT/BOOTX64.EFI')).toBe('own')
  })

  it('is the signed one of its packages, which is told where the menu is', async () => {
    const esp = await installed({
      'etc/os-release': 'NAME=Debian\nID=debian\n',
      'boot/grub/grub.cfg': '',
      'usr/lib/shim/shimx64.efi.signed': 'shim',
      'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed': 'grub',
    })
    expect(tool('mtype', '-i', esp, '::/EFI/BOOT/BOOTX64.EFI')).toBe('shim')
    expect(tool('mtype', '-i', esp, '::/EFI/BOOT/grubx64.efi')).toBe('grub')
    expect(tool('mtype', '-i', esp, '::/EFI/debian/grub.cfg')).toContain(`--set=root ${uuid}`)
  })

  it('is one of the ramdisk where it has none', async () => {
    const esp = await installed({ 'boot/vmlinuz': 'k' })
    expect(files(esp).filter((name) => name.endsWith('.EFI'))).toEqual(['::/EFI/BOOT/BOOTX64.EFI'])
  })

  it('is missing where the image has nothing to boot, and the error says so', async () => {
    await expect(installed({ 'etc/passwd': '' })).rejects.toThrow(/neither a menu of GRUB nor a kernel/)
  })
})
