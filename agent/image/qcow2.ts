import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { CommandFailure } from '../failure.ts'
import { hasProgram, run } from '../programs.ts'
import type { Digest } from './digest.ts'
import { detectedFormat } from './format.ts'

const information = z.looseObject({
  format: z.string(),
  'virtual-size': z.number().int().min(0),
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z
    .looseObject({ data: z.looseObject({ 'data-file': z.string().optional() }).optional() })
    .optional(),
})

export interface Qcow2 {
  id: string
  bytes: AsyncIterable<Buffer>
  /** Of the file, when known. */
  total: () => number | undefined
  expected: Digest
  received: (bytes: number) => void
}

/** Verifies a qcow2 file in memory, then hands the raw bytes of the disk that it holds to `use`. */
export async function withRawBytes(
  image: Qcow2,
  use: (raw: AsyncIterable<Buffer>, digest: Digest) => Promise<void>,
): Promise<void> {
  const { id } = image
  if (!(await hasProgram('qemu-img')))
    throw new CommandFailure('InvalidImage', `image ${id} is qcow2, and this ramdisk has no qemu-img; use a raw image`)
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    const file = join(folder, 'image.qcow2')
    await store(image, file, folder)
    await refuseReferences(id, file)
    const raw = join(folder, 'image.raw')
    // Sparse: only what the image holds takes memory.
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', '-S', '64k', file, raw], 1800)
    await rm(file)
    const digest: Digest = { algorithm: 'sha256', value: await hashOf(raw) }
    await use(createReadStream(raw, { highWaterMark: 1024 * 1024 }), digest)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function store(image: Qcow2, file: string, folder: string): Promise<void> {
  const hash = createHash(image.expected.algorithm)
  const handle = await open(file, 'wx', 0o600)
  let size = 0
  try {
    for await (const chunk of image.bytes) {
      if (size === 0) await refuseWithoutRoom(image.id, image.total(), folder)
      hash.update(chunk)
      await handle.writeFile(chunk)
      size += chunk.length
      image.received(size)
    }
  } finally {
    await handle.close()
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

/** A qcow2 may name other files as its contents; of this machine's files, none is the image's business. */
async function refuseReferences(id: string, file: string): Promise<void> {
  const handle = await open(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0)
  await handle.close()
  const found = detectedFormat(buffer)
  if (found !== 'qcow2')
    throw new CommandFailure(
      'InvalidImage',
      `image ${id} was declared qcow2 and is ${found}; declare its true disk format`,
    )
  const info = information.parse(
    JSON.parse((await run('qemu-img', ['info', '--output=json', '-f', 'qcow2', file], 60)).toString()),
  )
  if (info['backing-filename'] !== undefined || info['format-specific']?.data?.['data-file'] !== undefined)
    throw new CommandFailure('InvalidImage', `image ${id} refers to another file for its contents; flatten it first`)
  if (info.encrypted) throw new CommandFailure('InvalidImage', `image ${id} is encrypted`)
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
