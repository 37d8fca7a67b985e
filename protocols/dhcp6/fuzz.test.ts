import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { decide } from './decide.ts'
import { encodePacket } from './packet.ts'
import { wrapped } from './relay.ts'
import { readRequest } from './request.ts'

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

test('of 100,000 mutated messages, bare and relayed, none does more than a WireError', () => {
  const pcap = readFileSync(new URL('captures/aavmf-pxe.pcap', import.meta.url))
  const at = pcap.indexOf(Buffer.from('01530280', 'hex'))
  const solicit = pcap.subarray(at, at + 115)
  const address = ipv6ToBytes('fe80::1')
  const forward = { type: 12 as const, hops: 0, link: address, peer: address, options: [{ code: 9, value: solicit }] }
  const seeds = [solicit, encodePacket(forward)]
  const random = randomFrom(20_251)
  let answered = 0
  let refused = 0
  for (let count = 0; count < 100_000; count += 1) {
    const seed = seeds[random(seeds.length)] ?? solicit
    const bytes = random(4) === 0 ? new Uint8Array(seed.subarray(0, random(seed.length))) : new Uint8Array(seed)
    for (let flips = random(5); flips > 0; flips -= 1) bytes[random(bytes.length + 1)] = random(256)
    try {
      const request = readRequest(bytes, address)
      const link = { prefix: address, dns: [], leaseSeconds: 60 }
      const answer = { serve: true, because: 'fuzz', bootUrl: 'tftp://[fe80::1]/x' } as const
      const { reply } = decide({ request, serverId: Uint8Array.of(0, 4, 1), link, answer, declined: 0 })
      if (reply === undefined) continue
      expect(wrapped(reply, request.relays).length).toBeLessThan(1_232)
      answered += 1
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      refused += 1
    }
  }
  expect(answered).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(1_000)
}, 60_000)
