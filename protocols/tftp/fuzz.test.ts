import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { WireError } from '@bloomery/wire/error.ts'
import { udpDatagrams } from '../dhcp/capture.ts'
import { negotiate } from './negotiate.ts'
import { decodePacket } from './packet.ts'
import { receive, request } from './receiver.ts'
import { begin, step } from './transfer.ts'

/** xorshift32: the same mutations in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

test('200,000 mutated datagrams cause nothing but WireErrors, bounded windows and no block beyond the end', () => {
  const seeds = ['bios-ipxe-virtio', 'ovmf-pxe', 'ovmf-win4']
    .flatMap((name) => udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url))))
    .filter(({ sourcePort, destinationPort }) => ![67, 68].includes(sourcePort) && ![67, 68].includes(destinationPort))
    .map(({ payload }) => payload)
  const random = randomFrom(70_001)
  const fresh = { blksize: 1_468, windowsize: 8 }
  let receiver = request(fresh)
  let [sender] = begin(200_000, negotiate(new Map([['windowsize', '8']]), 200_000), 0)
  const seen = { understood: 0, refused: 0 }
  for (let now = 0; now < 200_000; now += 1) {
    const seed = seeds[random(seeds.length)] ?? new Uint8Array()
    const bytes = random(4) === 0 ? seed.slice(0, random(seed.length + 1)) : seed.slice()
    for (let flips = random(4); flips > 0; flips -= 1) bytes[random(Math.min(bytes.length, 40) + 1)] = random(256)
    try {
      const packet = decodePacket(bytes)
      seen.understood += 1
      if (packet.op === 'rrq') [sender] = begin(random(300_000), negotiate(packet.options, 300_000), now)
      if (packet.op === 'ack' || packet.op === 'error') {
        const event = packet.op === 'ack' ? { kind: packet.op, block: packet.block } : { kind: packet.op, ...packet }
        const [next, actions] = step(sender, event, now)
        sender = next
        for (const action of actions)
          if (action.send === 'data') {
            expect(action.to).toBeLessThanOrEqual(sender.blocks)
            expect(action.to - action.from).toBeLessThan(64)
          }
      }
      ;[receiver] = receive(receiver, packet)
      if (receiver.phase === 'complete' || receiver.phase === 'failed') receiver = request(fresh)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      seen.refused += 1
    }
  }
  expect(seen.understood).toBeGreaterThan(1_000)
  expect(seen.refused).toBeGreaterThan(1_000)
}, 60_000)
