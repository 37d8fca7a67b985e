import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PcapFrames } from './pcap-frames.ts'

function pcap(lengths: number[]): Buffer {
  const packets = lengths.map((length) => {
    const header = Buffer.alloc(16)
    header.writeUInt32LE(length, 8)
    return Buffer.concat([header, Buffer.alloc(length, 0xff)])
  })
  return Buffer.concat([Buffer.alloc(24), ...packets])
}

test('packets are counted however the stream is cut, and a stream that breaks off is whole up to the last of them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(200), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      fc.nat(15),
      (lengths, cuts, extra) => {
        const stream = Buffer.concat([pcap(lengths), Buffer.alloc(extra)])
        const frames = new PcapFrames()
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const cut = cuts[turn % cuts.length] ?? 1
          frames.feed(stream.subarray(at, at + cut))
          at += cut
        }
        expect([frames.packets, frames.whole]).toEqual([lengths.length, stream.length - extra])
      },
    ),
  )
})

test('half a header is nothing', () => {
  const frames = new PcapFrames()
  frames.feed(Buffer.alloc(23))
  expect([frames.packets, frames.whole]).toEqual([0, 0])
})
