import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fuzz, FUZZ_DEADLINE_MS, randomFrom } from '@bloomery/wire/fuzzing.ts'
import { udpDatagrams } from '../dhcp/capture.ts'
import { negotiate } from './negotiate.ts'
import { decodePacket } from './packet.ts'
import { receive, request } from './receiver.ts'
import { begin, step, type Action } from './transfer.ts'

test(
  'mutated datagrams cause nothing but WireErrors, bounded windows and no block beyond the end',
  () => {
    const seeds = ['bios-ipxe-virtio', 'ovmf-pxe', 'ovmf-win4']
      .flatMap((name) => udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url))))
      .filter(
        ({ sourcePort, destinationPort }) => ![67, 68].includes(sourcePort) && ![67, 68].includes(destinationPort),
      )
      .map(({ payload }) => payload)
    const random = randomFrom(70_001)
    const fresh = { blksize: 1_468, windowsize: 8 }
    let receiver = request(fresh)
    let [sender] = begin(200_000, negotiate(new Map([['windowsize', '8']]), 200_000), 0)
    const bounded = (action: Action): string => {
      if (action.send === 'oack') return 'oack'
      if (action.to > sender.blocks || action.to - action.from >= 64)
        throw new Error(`blocks ${action.from}–${action.to}`)
      return action.from > action.to ? 'nothing' : 'data'
    }
    const seen = fuzz(seeds, (bytes, now) => {
      const packet = decodePacket(bytes)
      let said: string[] = []
      if (packet.op === 'rrq') {
        const size = random(300_000)
        const [opened, actions] = begin(size, negotiate(packet.options, size), now)
        sender = opened
        said = actions.map(bounded)
      }
      if (packet.op === 'ack' || packet.op === 'error') {
        const event = packet.op === 'ack' ? { kind: packet.op, block: packet.block } : { kind: packet.op, ...packet }
        const [next, actions] = step(sender, event, now)
        sender = next
        said = actions.map(bounded)
      }
      const [next, reactions] = receive(receiver, packet)
      receiver = next.phase === 'complete' || next.phase === 'failed' ? request(fresh) : next
      return `${packet.op}: sender ${sender.phase}, says ${said.join()}; receiver ${next.phase}, ${reactions.length}`
    })
    const refused = [...seen.keys()].filter((word) => word.startsWith('refused'))
    expect(refused.length).toBeGreaterThan(3)
    expect(seen.size - refused.length).toBeGreaterThan(10)
  },
  FUZZ_DEADLINE_MS,
)
