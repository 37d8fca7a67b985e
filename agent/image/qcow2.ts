import { createHash } from 'node:crypto'
import { mkdtemp, open, rm, statfs, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatOf } from '@bloomery/image/detect.ts'
import { ImageError } from '@bloomery/image/error.ts'
import { openQcow2, type Disk } from '@bloomery/image/qcow2.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { MiB } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'
import type { Digest } from './digest.ts'
import { tooLarge, writeWhole, type Target } from './write.ts'

export interface Qcow2 {
  id: string
  bytes: AsyncIterable<Buffer>
  /** Of the file, when known. */
  total: () => number | undefined
  expected: Digest
  received: (bytes: number) => void
}

/** Verifies a qcow2 file in memory, then writes the disk that it holds. */
export async function writeQcow2(image: Qcow2, target: Target): Promise<void> {
  const { id } = image
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    const file = await open(join(folder, 'image.qcow2'), 'wx+', 0o600)
    try {
      await store(image, file, folder)
      await refuseUnlessQcow2(id, file)
      const disk = await openQcow2(await fileAccess(file))
      if (disk.size > target.size) throw tooLarge(id, disk.size, target)
      await writeWhole(id, contents(disk), target, {})
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (!(cause instanceof ImageError)) throw cause
    throw new CommandFailure('InvalidImage', `image ${id} can't be used: ${cause.message}`, { cause })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const zeros = Buffer.alloc(MiB)

async function* contents(disk: Disk): AsyncGenerator<Buffer> {
  for await (const { length, data } of disk.pieces()) {
    if (data) yield data
    else for (let left = length; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length))
  }
}

async function store(image: Qcow2, file: FileHandle, folder: string): Promise<void> {
  const hash = createHash(image.expected.algorithm)
  let size = 0
  for await (const chunk of image.bytes) {
    if (size === 0) await refuseWithoutRoom(image.id, image.total(), folder)
    hash.update(chunk)
    await file.writeFile(chunk)
    size += chunk.length
    image.received(size)
  }
  const actual = hash.digest('hex')
  if (actual !== image.expected.value)
    throw new CommandFailure(
      'ImageChecksumError',
      `image ${image.id} failed verification: its ${image.expected.algorithm} should be ${image.expected.value} ` +
        `and is ${actual} over ${size} bytes`,
    )
}

async function refuseWithoutRoom(id: string, total: number | undefined, folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (total !== undefined && total > bavail * bsize)
    throw new CommandFailure(
      'ImageWriteError',
      `image ${id}: ${total} bytes of qcow2 do not fit in the ramdisk's ${bavail * bsize}; use a raw image`,
    )
}

async function refuseUnlessQcow2(id: string, file: FileHandle): Promise<void> {
  const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0)
  const found = formatOf(buffer)
  if (found === 'qcow2') return
  throw new CommandFailure(
    'InvalidImage',
    `image ${id} was declared qcow2 and is ${found}; declare its true disk format`,
  )
}
