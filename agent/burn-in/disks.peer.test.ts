import { createReadStream } from 'node:fs'
import { expect, it } from 'vitest'
import { realClock } from '../clock.ts'
import { MiB } from '../disks/disk.ts'
import { loopDisk, tool } from '../disks/loop-disk.ts'
import { burnDisk } from './disks.ts'
import { noise } from './noise.ts'

it('writes every byte of a disk and reads it again, loop after loop, and tells how far it is', async () => {
  const disk = loopDisk(18 * MiB)
  const told: number[] = []
  await burnDisk(disk, { loops: 2, seconds: 0 }, realClock, (part) => void told.push(part))
  expect(told.toSorted((a, b) => a - b)).toEqual(told)
  expect([told[0], Math.max(...told) < 1]).toEqual([0, true])
  const expected = noise(2)
  for await (const chunk of createReadStream(disk.name) as AsyncIterable<Buffer>)
    expect(chunk.equals(expected(chunk.length))).toBe(true)
})

it('ends when its time is over', async () => {
  let now = 0
  const clock = { ...realClock, now: () => (now += 1000) }
  const disk = loopDisk(64 * MiB)
  await burnDisk(disk, { loops: 1000, seconds: 5 }, clock, () => {})
  expect(now).toBeLessThan(30_000)
})

it('keeps off a disk in use', async () => {
  const disk = loopDisk(18 * MiB)
  tool('mkswap', disk.name)
  tool('swapon', disk.name)
  try {
    await expect(burnDisk(disk, { loops: 1, seconds: 0 }, realClock, () => {})).rejects.toThrow('for itself alone')
  } finally {
    tool('swapoff', disk.name)
  }
})
