import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openQcow2 } from './qcow2.ts'
import { fileAccess } from './random-access.ts'

/** qemu-img makes the images and says what they hold. */
const folder = mkdtempSync(join(tmpdir(), 'bloomery-qcow2-'))
afterAll(() => rmSync(folder, { recursive: true }))
const tool = (name: string, ...args: string[]): string => execFileSync(name, args, { encoding: 'utf8' })
const MiB = 1024 * 1024

/** Words, noise, and holes between them; neither its size nor theirs are whole clusters. */
function sample(): string {
  const raw = join(folder, 'sample.raw')
  tool('truncate', '-s', String(37 * MiB + 512), raw)
  const place = (bytes: string, mib: number): void => {
    tool('sh', '-c', `${bytes} | dd of=${raw} bs=1M seek=${mib} iflag=fullblock conv=notrunc status=none`)
  }
  place('yes bloomery | head -c 3000000', 0)
  place('openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null | head -c 2500000', 9)
  place('yes the last words | head -c 512', 37)
  return raw
}

async function read(path: string): Promise<{ size: number; digest: string; stored: number }> {
  const file = await open(path)
  try {
    const disk = await openQcow2(await fileAccess(file))
    const hash = createHash('sha256')
    let [next, stored] = [0, 0]
    for await (const { offset, length, data } of disk.pieces()) {
      expect(offset).toBe(next)
      next += length
      stored += data ? length : 0
      if (data) hash.update(data)
      else for (let left = length; left > 0; left -= MiB) hash.update(Buffer.alloc(Math.min(left, MiB)))
    }
    expect(next).toBe(disk.size)
    return { size: disk.size, digest: hash.digest('hex'), stored }
  } finally {
    await file.close()
  }
}

describe('what qemu-img converts to qcow2 is read back to the byte', () => {
  const raw = sample()
  const digest = createHash('sha256').update(readFileSync(raw)).digest('hex')
  it.each([
    ['version 2', ['-o', 'compat=0.10']],
    ['version 3', []],
    ['clusters of 512 bytes', ['-o', 'cluster_size=512']],
    ['clusters of 2 MiB', ['-o', 'cluster_size=2M']],
    ['compressed', ['-c']],
    ['compressed, in clusters of 4 KiB', ['-c', '-o', 'cluster_size=4k']],
    ['compressed in version 2', ['-c', '-o', 'compat=0.10']],
    ['compressed by zstd', ['-c', '-o', 'compression_type=zstd']],
    ['allocated before it was written', ['-o', 'preallocation=metadata']],
  ])('%s', async (_, options) => {
    const path = join(folder, 'image.qcow2')
    tool('qemu-img', 'convert', '-O', 'qcow2', ...options, raw, path)
    const got = await read(path)
    expect(got).toMatchObject({ size: 37 * MiB + 512, digest })
    if (!options.join().includes('2M') && !options.join().includes('preallocation'))
      expect(got.stored).toBeLessThan(8 * MiB)
  })

  it('after zeros were written over it, and parts discarded', async () => {
    const path = join(folder, 'zeroed.qcow2')
    tool('qemu-img', 'convert', '-O', 'qcow2', raw, path)
    tool('qemu-io', '-f', 'qcow2', '-c', 'write -z 0 1M', '-c', 'discard 9M 1M', '-c', 'write -P 7 5M 64k', path)
    const back = join(folder, 'zeroed.raw')
    tool('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', path, back)
    expect((await read(path)).digest).toBe(createHash('sha256').update(readFileSync(back)).digest('hex'))
  })
})

it.each([
  ['a backing file', ['-b', 'sample.raw', '-F', 'raw'], [], 'refers to another file for its contents (backing file)'],
  ['a data file', ['-o', 'data_file=other.raw'], ['8M'], 'refers to another file for its contents (data file)'],
  ['extended L2 entries', ['-o', 'extended_l2=on,cluster_size=128k'], ['8M'], 'extended_l2=off'],
])('an image with %s is refused', async (_, options, size, why) => {
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, 'refused.qcow2', ...size], { cwd: folder })
  await expect(read(join(folder, 'refused.qcow2'))).rejects.toThrow(why)
  rmSync(join(folder, 'refused.qcow2'))
})
