import { expect, it } from 'vitest'
import { GiB, MiB, type Disk } from './disk.ts'
import { espType, linuxType, parseHeader, partitionsOf, tableOf, writesOf } from './gpt.ts'
import { layOut, roomOn } from './lay-out.ts'
import { parseMbr, protectiveRecord } from './mbr.ts'

const disk = (sector: number): Disk => ({ name: '/dev/x', size: GiB, sector, rotational: false, discards: false })

it.each([512, 4096])('partitions fill a disk with sectors of %i bytes and leave both tables room', (sector) => {
  const size = roomOn(disk(sector)) - 200 * MiB
  const { table, partitions } = layOut(disk(sector), [
    { name: 'esp', type: espType, size: 200 * MiB },
    { name: 'root', type: linuxType, size },
  ])
  expect(partitions).toEqual([
    { number: 1, offset: MiB, size: 200 * MiB },
    { number: 2, offset: 201 * MiB, size },
  ])
  const bytes = Buffer.alloc(GiB / 512)
  const end = GiB - bytes.length
  const at = (offset: number) => (offset >= end ? offset - end : offset)
  for (const write of writesOf(table).slice(0, 2)) write.bytes.copy(bytes, at(write.offset))
  const second = bytes.subarray(bytes.length - sector)
  const header = parseHeader(second)
  expect(header).toMatchObject({ current: GiB / sector - 1, backup: 1 })
  const from = at(header!.entriesAt * sector)
  const read = partitionsOf(tableOf(second, header!, bytes.subarray(from, from + 128 * 128)))
  expect(read.map(({ name, first, last }) => [name, first * sector, (last + 1) * sector])).toEqual([
    ['esp', MiB, 201 * MiB],
    ['root', 201 * MiB, GiB - MiB],
  ])
  expect(new Set(read.map(({ guid }) => guid)).size).toBe(2)
})

it('the record in front of a GPT shows the disk as full', () => {
  expect(parseMbr(protectiveRecord(4096, 1000))).toEqual([{ number: 1, type: 0xee, first: 1, sectors: 999 }])
})
