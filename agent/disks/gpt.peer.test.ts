import { copyFileSync, openSync, readFileSync, truncateSync, writeFileSync, closeSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MiB, type Disk } from './disk.ts'
import { temporaryFolder, tool } from './loop-disk.ts'
import { fitTable, placeForConfigDrive, readGpt } from './table.ts'
import { partitionsOf } from './gpt.ts'

const small = 16 * MiB
const large = 48 * MiB

function disk(name: string): Disk {
  return { name, size: large, sector: 512, rotational: false, discards: false }
}

/** An image of 16 MiB with two partitions, written to a disk of 48 MiB. */
function written(): string {
  const file = join(temporaryFolder(), 'disk')
  writeFileSync(file, Buffer.alloc(small))
  tool('sgdisk', '-n', '1:2048:6143', '-t', '1:ef00', '-c', '1:ESP', '-n', '2:6144:0', '-c', '2:root', file)
  truncateSync(file, large)
  return file
}

it('moves the second copy of a table to the end of the disk exactly as sgdisk does', async () => {
  const ours = written()
  const theirs = `${ours}.sgdisk`
  copyFileSync(ours, theirs)
  tool('sgdisk', '-e', theirs)
  const handle = await open(ours, 'r+')
  await fitTable(handle, disk(ours))
  await handle.close()

  const [mine, other] = [readFileSync(ours), readFileSync(theirs)]
  const head = 34 * 512
  // In the protective record sgdisk still computes the end in cylinders, heads and sectors, at 451.
  const record = 454
  const tail = large - 33 * 512
  expect(mine.subarray(record, head).equals(other.subarray(record, head))).toBe(true)
  expect(mine.subarray(tail).equals(other.subarray(tail))).toBe(true)
  expect(mine.toString('latin1', small - 512, small - 504)).not.toBe('EFI PART')
  expect(tool('sgdisk', '-v', ours)).toContain('No problems found')
})

it('adds a partition that sgdisk finds sound, and uses it again', async () => {
  const file = written()
  const handle = await open(file, 'r+')
  await fitTable(handle, disk(file))
  const place = await placeForConfigDrive(handle, disk(file), 3 * MiB - 5)
  expect(place.number).toBe(3)
  expect(place.offset % MiB).toBe(0)
  expect(await placeForConfigDrive(handle, disk(file), 2 * MiB)).toEqual(place)
  await handle.close()
  expect(tool('sgdisk', '-v', file)).toContain('No problems found')
  const shown = tool('sgdisk', '-i', '3', file)
  expect(shown).toContain("Partition name: 'config-2'")
  expect(shown).toContain(`First sector: ${place.offset / 512} `)
  expect(shown).toContain(`Partition size: ${(3 * MiB) / 512} sectors`)
})

it('adds a partition to an MBR that sfdisk finds sound', async () => {
  const file = join(temporaryFolder(), 'disk')
  writeFileSync(file, Buffer.alloc(large))
  const script = join(temporaryFolder(), 'script')
  writeFileSync(script, 'label: dos\nstart=2048, size=16384, type=83, bootable\n')
  tool('sh', '-c', `sfdisk --quiet ${file} < ${script}`)
  const handle = await open(file, 'r+')
  expect(await fitTable(handle, disk(file))).toBeUndefined()
  const place = await placeForConfigDrive(handle, disk(file), MiB)
  await handle.close()
  const { partitiontable } = JSON.parse(tool('sfdisk', '--json', file)) as { partitiontable: { partitions: object[] } }
  expect(partitiontable.partitions).toMatchObject([
    { start: 2048, size: 16_384, bootable: true },
    { start: place.offset / 512, size: 2048, type: '83' },
  ])
  expect(tool('sfdisk', '--verify', file)).toContain('No errors')
})

it('has no place for a config drive on a full disk, nor on one without a table', async () => {
  const file = written()
  tool('sgdisk', '-e', '-n', '3:0:0', file)
  const handle = await open(file, 'r+')
  await expect(placeForConfigDrive(handle, disk(file), MiB)).rejects.toThrow('no room for the config drive')
  await handle.write(Buffer.alloc(MiB), 0, MiB, 0)
  await expect(placeForConfigDrive(handle, disk(file), MiB)).rejects.toThrow('no partition table')
  await handle.close()
})

it('reads the names and kinds of partitions as sgdisk wrote them', async () => {
  const file = written()
  const handle = await open(file, 'r')
  const table = await readGpt(handle, { ...disk(file), size: small })
  await handle.close()
  expect(table && partitionsOf(table)).toMatchObject([
    { number: 1, name: 'ESP', type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', first: 2048, last: 6143 },
    { number: 2, name: 'root', type: '0fc63daf-8483-4772-8e79-3d69d8477de4', first: 6144 },
  ])
})

it('refuses a table that was damaged on the way', async () => {
  const file = written()
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.from([0xab]), 0, 1, 1024 + 40)
  closeSync(descriptor)
  const handle = await open(file, 'r+')
  await expect(fitTable(handle, disk(file))).rejects.toThrow('the checksum of its entries is wrong')
  await handle.close()
})
