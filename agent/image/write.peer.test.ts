import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { openDisk } from '../disks/device.ts'
import { alignedMemory, openDirect } from '../disks/direct.ts'
import { MiB } from '../disks/disk.ts'
import { contents, loopDisk, usedDisk } from '../disks/loop-disk.ts'
import { writeVerified } from './write.ts'

/** Pieces of odd lengths, as they come from a socket. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_521) yield await Promise.resolve(bytes.subarray(at, at + 65_521))
}

it('a whole image leaves nothing of what the disk had: not in short holes, not in long ones, not at an end that fills no sector', async () => {
  const image = Buffer.concat([
    randomBytes(5 * MiB),
    Buffer.alloc(11 * MiB),
    randomBytes(4 * MiB),
    Buffer.alloc(24 * MiB),
    randomBytes(MiB + 777),
    Buffer.alloc(9 * MiB),
  ])
  const disk = usedDisk(64)
  const handle = await openDisk(disk.name)
  try {
    const value = createHash('sha256').update(image).digest('hex')
    const target = { handle, name: disk.name, size: disk.size }
    await writeVerified('used', inPieces(image), target, { algorithm: 'sha256', value }, () => undefined)
  } finally {
    await handle.close()
  }
  expect(contents(disk, image.length).equals(image)).toBe(true)
})

it('a disk of large sectors takes aligned memory past the page cache', async () => {
  const disk = loopDisk(8 * MiB, 4096)
  const direct = await openDirect(disk.name)
  const bytes = alignedMemory(MiB)
  randomBytes(MiB).copy(bytes)
  try {
    expect((await direct!.write(bytes, 0, MiB, 4 * MiB)).bytesWritten).toBe(MiB)
  } finally {
    await direct!.close()
  }
  expect(
    contents(disk, 5 * MiB)
      .subarray(4 * MiB)
      .equals(bytes),
  ).toBe(true)
})
