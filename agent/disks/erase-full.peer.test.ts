import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { realClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { MiB } from './disk.ts'
import { eraseFully } from './erase-full.ts'
import { eraseEach, erasable } from './erase-many.ts'
import { eraseOptions } from './erase-options.ts'
import { loopDisk, tool } from './loop-disk.ts'

const means = { clock: realClock, log: createLog(() => undefined, realClock.now), sysfs: '/sys' }
const node = (info: object, properties = {}) => ({ uuid: 'n', driver_internal_info: { ...info }, properties })

function secretive() {
  const disk = loopDisk(21 * MiB)
  writeFileSync(disk.name, Buffer.alloc(21 * MiB, 'a secret '))
  return { ...disk, discards: false }
}

describe('a disk that can’t erase itself is overwritten', () => {
  it.each([
    ['with noise, then zeros', {}, (left: Buffer) => left.every((byte) => byte === 0)],
    [
      'with noise alone',
      { agent_erase_devices_zeroize: false, agent_erase_devices_iterations: 2 },
      // Noise doesn't compress; what repeats does.
      (left: Buffer) => new Set(left.subarray(0, 65_536)).size === 256,
    ],
  ])('%s', async (_, flags, holds) => {
    const disk = secretive()
    const seen: number[] = []
    await eraseFully(disk, means, { options: eraseOptions(node(flags)), progress: (done) => seen.push(done) })
    const left = readFileSync(disk.name)
    expect(left.includes('a secret')).toBe(false)
    expect(holds(left)).toBe(true)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
  })
})

it('is an error when no pass is asked for, and says so', async () => {
  const options = eraseOptions(node({ agent_erase_devices_iterations: 0, agent_erase_devices_zeroize: false }))
  await expect(eraseFully(secretive(), means, { options, progress: () => {} })).rejects.toThrow('no pass over it')
})

it('leaves the disks alone that skip_block_devices names, and names those that failed', async () => {
  const [spared, erased] = [{ ...secretive(), serial: 'keep' }, secretive()]
  const missing = { ...erased, name: '/dev/nothing' }
  const skip = { skip_block_devices: [{ serial: 'keep' }] }
  const disks = erasable([spared, missing, erased], node({}, skip))
  const options = eraseOptions(node({}))
  const work = eraseEach(
    disks,
    4,
    (disk, progress) => eraseFully(disk, means, { options, progress }),
    () => {},
  )
  await expect(work).rejects.toThrow('/dev/nothing')
  expect(readFileSync(spared.name).includes('a secret')).toBe(true)
  expect(tool('cmp', '-n', String(21 * MiB), erased.name, '/dev/zero')).toBe('')
})
