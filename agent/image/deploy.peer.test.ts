import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CommandProgress } from '../../contract/agent.ts'
import { realClock } from '../clock.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { identify } from '../disks/identify.ts'
import { loopDisk, temporaryFolder, tool } from '../disks/loop-disk.ts'
import { createLog } from '../log.ts'
import { deployImage } from './deploy.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const log = createLog(() => undefined, realClock.now)
const means = { trust: {}, clock: realClock, log, seconds: 60, retries: 2, retryInterval: 0, imageKeys: [] }

/** A whole-disk image of 20 MiB: an EFI system partition, and a root with a file system that can be checked. */
function wholeDiskImage(): string {
  const file = join(temporaryFolder(), 'image.raw')
  const root = `${file}.root`
  writeFileSync(file, '')
  truncateSync(file, 20 * MiB)
  tool('sgdisk', '-n', '1:2048:+2M', '-t', '1:ef00', '-n', '2:0:0', '-c', '2:root', file)
  tool('mke2fs', '-q', '-t', 'ext4', '-L', 'deployed', root, '12M')
  tool('dd', `if=${root}`, `of=${file}`, 'bs=512', 'seek=6144', 'conv=notrunc', 'status=none')
  return file
}

function configDrive(): { iso: Buffer; base64: string } {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'drive/openstack/latest'), { recursive: true })
  writeFileSync(join(folder, 'drive/openstack/latest/user_data'), '#!/bin/sh\necho here\n')
  const file = join(folder, 'drive.iso')
  tool('genisoimage', '-quiet', '-R', '-V', 'config-2', '-o', file, join(folder, 'drive'))
  const iso = readFileSync(file)
  return { iso, base64: gzipSync(iso).toString('base64') }
}

async function serve(files: Record<string, Buffer>): Promise<string> {
  const server = createServer((request, response) => {
    const content = files[request.url?.replace(/\?.*/, '') ?? '']
    if (!content) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-length': content.length }).end(content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function deploy(disk: Disk, bytes: Buffer, more: { configdrive?: string; info?: object } = {}) {
  const base = await serve({ '/image': bytes })
  const seen: CommandProgress[] = []
  const info = {
    id: 'debian-12',
    urls: [`${base}/image`],
    os_hash_algo: 'sha256',
    os_hash_value: sha256(bytes),
    ...more.info,
  }
  const said = await deployImage({ image_info: info, configdrive: more.configdrive }, disk, means, (now) =>
    seen.push(now),
  )
  return { said, seen }
}

function ends(disk: Disk): Buffer {
  const all = readFileSync(disk.name)
  return Buffer.concat([all.subarray(0, MiB), all.subarray(-MiB)])
}

describe('a raw image', () => {
  it('comes to stand on a larger disk with a sound table, its file system and its config drive', async () => {
    const disk = loopDisk(64 * MiB)
    const drive = configDrive()
    const { said, seen } = await deploy(disk, readFileSync(wholeDiskImage()), { configdrive: drive.base64 })
    expect(said).toContain('debian-12')
    expect(seen.at(-1)).toMatchObject({ percent: 100, bytes: 20 * MiB })
    expect(tool('sgdisk', '-v', disk.name)).toContain('No problems found')
    expect(tool('sgdisk', '-i', '3', disk.name)).toContain("'config-2'")
    expect(tool('isoinfo', '-d', '-i', `${disk.name}p3`)).toContain('Volume id: config-2')
    expect(tool('isoinfo', '-R', '-i', `${disk.name}p3`, '-x', '/openstack/latest/user_data')).toContain('echo here')
    expect(readFileSync(`${disk.name}p3`).subarray(0, drive.iso.length).equals(drive.iso)).toBe(true)
    expect(tool('e2fsck', '-fn', `${disk.name}p2`)).toContain('deployed')
    const uuid = /Partition unique GUID: (\S+)/.exec(tool('sgdisk', '-i', '1', disk.name))?.[1]
    expect(await identify(disk, undefined)).toMatchObject({ 'efi system partition uuid': uuid?.toLowerCase() })
  })

  it('replaces what an earlier deploy left, and takes its config drive from a URL', async () => {
    const disk = loopDisk(64 * MiB)
    tool('sgdisk', '-n', '1:0:+10M', '-n', '2:0:+10M', '-n', '3:0:+10M', '-n', '4:0:0', disk.name)
    const drive = await serve({ '/drive': Buffer.from(configDrive().base64) })
    await deploy(disk, readFileSync(wholeDiskImage()), { configdrive: `${drive}/drive?signature=hush` })
    expect(tool('sgdisk', '-p', disk.name).match(/^ +\d/gm)).toHaveLength(3)
    expect(tool('isoinfo', '-d', '-i', `${disk.name}p3`)).toContain('Volume id: config-2')
  })

  it('whose digest is wrong leaves nothing on the disk that boots, and the error says which and what', async () => {
    const disk = loopDisk(64 * MiB)
    tool('sgdisk', '-n', '1:0:0', disk.name)
    const bytes = readFileSync(wholeDiskImage())
    const failed = deploy(disk, bytes, { info: { os_hash_value: '0'.repeat(64) } })
    await expect(failed).rejects.toThrow(`should be ${'0'.repeat(64)} and is ${sha256(bytes)}`)
    await expect(failed).rejects.toThrow('image debian-12 failed verification')
    expect(ends(disk).every((byte) => byte === 0)).toBe(true)
  })

  it('that is larger than the disk is refused before it is fetched', async () => {
    const disk = loopDisk(16 * MiB)
    await expect(deploy(disk, readFileSync(wholeDiskImage()))).rejects.toThrow(`${disk.name} has only ${16 * MiB}`)
  })

  it('that was made for other sectors is refused', async () => {
    const disk = loopDisk(64 * MiB, 4096)
    await expect(deploy(disk, readFileSync(wholeDiskImage()))).rejects.toThrow('is for sectors of 512 bytes')
    expect(ends(disk).every((byte) => byte === 0)).toBe(true)
  })

  it('is not written at all when its config drive cannot be used', async () => {
    const disk = loopDisk(64 * MiB)
    tool('sgdisk', '-n', '1:0:0', disk.name)
    await expect(deploy(disk, readFileSync(wholeDiskImage()), { configdrive: 'bm90IGEgZHJpdmU=' })).rejects.toThrow(
      'the config drive cannot be used',
    )
    expect(tool('sgdisk', '-v', disk.name)).toContain('No problems found')
  })
})

describe('a qcow2 image', () => {
  it('is verified as it is stored and written as what it holds', async () => {
    const raw = wholeDiskImage()
    tool('qemu-img', 'convert', '-O', 'qcow2', '-c', raw, `${raw}.qcow2`)
    const disk = loopDisk(64 * MiB)
    await deploy(disk, readFileSync(`${raw}.qcow2`), { info: { disk_format: 'qcow2' } })
    expect(tool('sgdisk', '-v', disk.name)).toContain('No problems found')
    expect(tool('e2fsck', '-fn', `${disk.name}p2`)).toContain('deployed')
  })

  it('that refers to a file of the machine it is opened on is refused', async () => {
    const raw = wholeDiskImage()
    tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', raw, '-F', 'raw', `${raw}.qcow2`)
    const disk = loopDisk(64 * MiB)
    const failed = deploy(disk, readFileSync(`${raw}.qcow2`), { info: { disk_format: 'qcow2' } })
    await expect(failed).rejects.toThrow('refers to another file')
  })

  it('that is declared raw is refused', async () => {
    const raw = wholeDiskImage()
    tool('qemu-img', 'convert', '-O', 'qcow2', raw, `${raw}.qcow2`)
    const disk = loopDisk(64 * MiB)
    await expect(deploy(disk, readFileSync(`${raw}.qcow2`))).rejects.toThrow('declared raw and is qcow2')
  })
})
