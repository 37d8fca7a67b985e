import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import { fuzz, FUZZ_DEADLINE_MS } from '@bloomery/wire/fuzzing.ts'
import { decide } from './decide.ts'
import { encodePacket } from './packet.ts'
import { wrapped } from './relay.ts'
import { readRequest } from './request.ts'

test(
  'of mutated messages, bare and relayed, none does more than a WireError, and no reply is longer than a packet',
  () => {
    const pcap = readFileSync(new URL('captures/aavmf-pxe.pcap', import.meta.url))
    const at = pcap.indexOf(Buffer.from('01530280', 'hex'))
    const solicit = pcap.subarray(at, at + 115)
    const address = ipv6ToBytes('fe80::1')
    const forward = { type: 12 as const, hops: 0, link: address, peer: address, options: [{ code: 9, value: solicit }] }
    const link = { prefix: address, dns: [], leaseSeconds: 60 }
    const answer = { serve: true, because: 'fuzz', bootUrl: 'tftp://[fe80::1]/x' } as const
    let answered = 0
    const seen = fuzz([solicit, encodePacket(forward)], (bytes) => {
      const request = readRequest(bytes, address)
      const { reply, facts } = decide({ request, serverId: Uint8Array.of(0, 4, 1), link, answer, declined: 0 })
      if (reply !== undefined) {
        if (wrapped(reply, request.relays).length >= 1_232) throw new Error('a reply is over 1,232 bytes')
        answered += 1
      }
      return `${facts.request} ${facts.reply} ${facts.because}`
    })
    expect(answered).toBeGreaterThan(1_000)
    expect([...seen.keys()].filter((word) => word.startsWith('refused')).length).toBeGreaterThan(3)
  },
  FUZZ_DEADLINE_MS,
)
