import { Buffer } from 'node:buffer'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packetGuard } from './packet-guard.ts'

/** As MQTT 3.1.1 §2.2.3 writes lengths. */
function packet(size: number): Buffer {
  const header = [0x30]
  for (let rest = size; ;) {
    const more = rest >= 128
    header.push((rest % 128) | (more ? 0x80 : 0))
    rest = Math.floor(rest / 128)
    if (!more) return Buffer.concat([Buffer.from(header), Buffer.alloc(size, 0xff)])
  }
}

describe('packetGuard', () => {
  it('lets packets through unchanged, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        async (sizes, cut) => {
          const bytes = Buffer.concat(sizes.map(packet))
          const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, index) =>
            bytes.subarray(index * cut, (index + 1) * cut),
          )
          expect(Buffer.compare(await buffer(Readable.from(chunks).pipe(packetGuard(400))), bytes)).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })

  it.each([
    ['a length above the limit', packet(401).subarray(0, 3)],
    ['a length of five bytes', Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])],
    ['a large packet behind a small one', Buffer.concat([packet(10), packet(5000)])],
  ])('ends at %s', async (_, bytes) => {
    await expect(buffer(Readable.from([bytes]).compose(packetGuard(400)))).rejects.toThrow(/more than 400 bytes/)
  })
})
