import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bootModesOf } from './boot-modes.ts'
import { layoutOf } from './layout.ts'

it('any bytes have a layout, in bounds, and an answer about their boot modes', async () => {
  const signed = (bytes: Uint8Array): Buffer => {
    const disk = Buffer.alloc(40 * 1024)
    Buffer.from(bytes).copy(disk, 440)
    disk.writeUInt16LE(0xaa55, 510)
    disk.write('EFI PART', 512, 'latin1')
    return disk
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, table) => {
      const content = table ? signed(bytes) : Buffer.from(bytes)
      const disk = {
        size: content.length,
        read: (position: number, length: number) => Promise.resolve(content.subarray(position, position + length)),
      }
      const layout = await layoutOf(disk)
      expect(layout.partitions.length).toBeLessThanOrEqual(128)
      expect(layout.partitions.every(({ start, length }) => Number.isSafeInteger(start + length))).toBe(true)
      expect((await bootModesOf(disk, layout)).length).toBeLessThanOrEqual(2)
    }),
    { numRuns: 3000 },
  )
})
