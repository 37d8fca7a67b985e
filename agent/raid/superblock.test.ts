import { expect, it } from 'vitest'
import { isIncomplete, parseSuperblock } from './superblock.ts'

const member = (uuid: number, disks: number) => {
  const bytes = Buffer.alloc(256)
  bytes.writeUInt32LE(0xa92b4efc, 0)
  bytes.writeUInt32LE(1, 4)
  bytes.fill(uuid, 16, 32)
  bytes.writeUInt32LE(disks, 92)
  return bytes
}

it('tells which array a member is of, and how many there should be', () => {
  expect(parseSuperblock(member(7, 3))).toEqual({ uuid: '07'.repeat(16), disks: 3 })
  expect(parseSuperblock(Buffer.alloc(256))).toBeUndefined()
  expect(parseSuperblock(member(7, 3).subarray(0, 100))).toBeUndefined()
})

it('an array is whole when as many of its members are there', () => {
  const found = (...members: [number, number][]) =>
    members.map(([uuid, disks]) => parseSuperblock(member(uuid, disks))!)
  expect(isIncomplete([])).toBe(false)
  expect(isIncomplete(found([1, 2], [1, 2], [2, 3], [2, 3], [2, 3]))).toBe(false)
  expect(isIncomplete(found([1, 2], [1, 2], [2, 3], [2, 3]))).toBe(true)
})
