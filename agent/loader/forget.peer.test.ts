import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { MiB } from '../disks/disk.ts'
import { loopDisk } from '../disks/loop-disk.ts'
import { forgetLoaders } from './forget.ts'

it('of a disk whose arrays were erased only what booted it goes; table and members stay', async () => {
  const disk = loopDisk(48 * MiB)
  execFileSync('sgdisk', [
    '-n1:1MiB:+16MiB',
    '-t1:ef00',
    '-n2:0:+8MiB',
    '-t2:ef02',
    '-n3:0:+8MiB',
    '-t3:fd00',
    disk.name,
  ])
  const handle = await open(disk.name, 'r+')
  try {
    await handle.write(Buffer.alloc(440, 0xaa), 0, 440, 0)
    for (const at of [1, 17, 25]) await handle.write(Buffer.from('loader or member'), 0, 16, at * MiB)
    await handle.sync()
    const table = (): string => execFileSync('sgdisk', ['-p', '-v', disk.name]).toString()
    const before = table()
    await forgetLoaders(disk)
    expect(table()).toBe(before)
    const said = async (at: number): Promise<string> =>
      (await handle.read(Buffer.alloc(16), 0, 16, at)).buffer.toString('latin1').replaceAll('\0', '')
    expect(await Promise.all([0, MiB, 17 * MiB, 25 * MiB].map(said))).toEqual(['', '', '', 'loader or member'])
  } finally {
    await handle.close()
  }
})

it('a disk without a GPT is left as it is', async () => {
  const disk = loopDisk(4 * MiB)
  const handle = await open(disk.name, 'r+')
  try {
    await handle.write(Buffer.alloc(440, 0xaa), 0, 440, 0)
    await handle.sync()
    await forgetLoaders(disk)
    expect((await handle.read(Buffer.alloc(440), 0, 440, 0)).buffer).toEqual(Buffer.alloc(440, 0xaa))
  } finally {
    await handle.close()
  }
})
