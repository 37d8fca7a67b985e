import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { MiB } from '../disks/disk.ts'
import { writeVerified } from './write.ts'

async function target(size: number) {
  const folder = await mkdtemp(join(tmpdir(), 'agent-write-'))
  const name = join(folder, 'disk')
  await writeFile(name, '')
  await truncate(name, size)
  const handle = await open(name, 'r+')
  onTestFinished(async () => {
    await handle.close()
    await rm(folder, { recursive: true })
  })
  return { handle, name, size }
}

async function* inPieces(bytes: Buffer, piece: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield await Promise.resolve(bytes.subarray(at, at + piece))
}
const sha256 = (bytes: Buffer) => ({
  algorithm: 'sha256' as const,
  value: createHash('sha256').update(bytes).digest('hex'),
})

it.each([
  [9 * MiB + 777, 65_536],
  [9 * MiB, 100_001],
  [12 * MiB, 9 * MiB],
  [100, 7],
])('writes %i bytes that come in pieces of %i, every one in its place', async (length, piece) => {
  const bytes = randomBytes(length)
  const disk = await target(16 * MiB)
  let last = 0
  expect(await writeVerified('x', inPieces(bytes, piece), disk, sha256(bytes), (count) => (last = count))).toBe(length)
  expect(last).toBe(length)
  const read = await readFile(disk.name)
  expect(read.subarray(0, length).equals(bytes)).toBe(true)
  expect(read.subarray(length).every((byte) => byte === 0)).toBe(true)
})

it('writes the first block only once the digest is right, and says both digests if it is not', async () => {
  const bytes = randomBytes(6 * MiB)
  const disk = await target(8 * MiB)
  const wrong = { algorithm: 'sha256' as const, value: 'f'.repeat(64) }
  const message: unknown = await writeVerified('debian', inPieces(bytes, MiB), disk, wrong, () => undefined).catch(
    (error: unknown) => (error as Error).message,
  )
  expect(message).toContain('image debian failed verification')
  expect(message).toContain(`should be ${wrong.value} and is ${sha256(bytes).value}`)
  expect((await readFile(disk.name)).subarray(0, 4 * MiB).every((byte) => byte === 0)).toBe(true)
})

it('refuses an image that outgrows the disk, whatever the server announced', async () => {
  const bytes = randomBytes(3 * MiB)
  const disk = await target(2 * MiB)
  await expect(writeVerified('big', inPieces(bytes, MiB), disk, sha256(bytes), () => undefined)).rejects.toThrow(
    `${disk.name} has only ${2 * MiB}`,
  )
})

it('refuses a container that is declared raw', async () => {
  const bytes = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(1000)])
  const disk = await target(MiB)
  await expect(writeVerified('q', inPieces(bytes, 100), disk, sha256(bytes), () => undefined)).rejects.toThrow(
    'is qcow2',
  )
})
