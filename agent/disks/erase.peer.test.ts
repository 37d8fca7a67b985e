import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { realClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { MiB } from './disk.ts'
import { eraseMetadata } from './erase.ts'
import { loopDisk, temporaryFolder, tool } from './loop-disk.ts'

const means = { clock: realClock, log: createLog(() => undefined, realClock.now), sysfs: '/sys' }

function partitioned() {
  const disk = loopDisk(64 * MiB)
  tool('sgdisk', '-n', '1:2048:+20M', '-n', '2:0:0', disk.name)
  tool('partx', '-u', disk.name)
  tool('mkfs.ext4', '-q', `${disk.name}p1`)
  tool('mkfs.vfat', `${disk.name}p2`)
  return disk
}

describe('erasing metadata', () => {
  it.each([true, false])('leaves nothing that wipefs, blkid or the kernel know (discard: %s)', async (discards) => {
    const disk = { ...partitioned(), discards }
    await eraseMetadata(disk, means)
    expect(tool('wipefs', disk.name)).toBe('')
    expect(existsSync(`${disk.name}p1`)).toBe(false)
    // The same partitions again: the file systems that were in them must not come back.
    tool('sgdisk', '-n', '1:2048:+20M', '-n', '2:0:0', disk.name)
    tool('partx', '-u', disk.name)
    expect(tool('wipefs', `${disk.name}p1`)).toBe('')
    expect(tool('wipefs', `${disk.name}p2`)).toBe('')
  })

  it('does the same to a disk that is blank already', async () => {
    const disk = loopDisk(8 * MiB)
    await eraseMetadata(disk, means)
    expect(tool('wipefs', disk.name)).toBe('')
  })

  it('leaves a disk alone that is in use', async () => {
    const disk = partitioned()
    const folder = join(temporaryFolder(), 'mounted')
    mkdirSync(folder)
    tool('mount', `${disk.name}p1`, folder)
    onTestFinished(() => void tool('umount', folder))
    await expect(eraseMetadata(disk, means)).rejects.toThrow(`${disk.name} cannot be opened for itself alone`)
    expect(tool('wipefs', `${disk.name}p1`)).toContain('ext4')
  })
})
