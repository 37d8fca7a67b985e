import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'
import { fuzz, FUZZ_DEADLINE_MS } from '@bloomery/wire/fuzzing.ts'
import { capturedRequests } from './capture.ts'
import { MessageType, Option } from './codes.ts'
import { decide } from './decide.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { wrapped } from './relay.ts'
import { readRequest } from './request.ts'

const address = ipv6ToBytes('fe80::1')
const serverId = Uint8Array.of(0, 4, 1)
const captured = capturedRequests(readFileSync(new URL('captures/aavmf-pxe.pcap', import.meta.url))).map(
  ({ payload }) => payload,
)

/** The captured client says each kind of message, of this server, and by way of so many relays. */
function seeds(): Uint8Array[] {
  const [solicit = new Uint8Array()] = captured
  const client = decodePacket(solicit)
  if ('hops' in client) throw new Error('the captured message came by a relay')
  const { transaction, options } = client
  const ours = [...options, { code: Option.serverId, value: serverId }]
  const named = Object.values(MessageType).map((type) => encodePacket({ type, transaction, options: ours }))
  const relayed = [1, 2, 8, 9].map((hops) => byRelays(solicit, hops))
  return [...captured, ...named, ...relayed]
}

function byRelays(bytes: Uint8Array, hops: number): Uint8Array {
  if (hops === 0) return bytes
  const options = [{ code: Option.relayMessage, value: byRelays(bytes, hops - 1) }]
  return encodePacket({ type: 12, hops: hops - 1, link: address, peer: address, options })
}

test(
  'of mutated messages, bare and relayed, none does more than a WireError, and a reply is little longer than its request',
  () => {
    const link = { prefix: address, dns: [address], leaseSeconds: 60 }
    const answer = { serve: true, because: 'fuzz', bootUrl: 'tftp://[fe80::1]/x', httpClient: true } as const
    let answered = 0
    const seen = fuzz(seeds(), (bytes) => {
      const request = readRequest(bytes, address)
      const { reply, facts } = decide({ request, serverId, link, answer, declined: 0 })
      const { relays, associations, architecture } = request
      if (reply !== undefined) {
        const length = wrapped(reply, relays).length
        if (length > bytes.length + 400) throw new Error(`a reply of ${length} bytes to ${bytes.length}`)
        answered += 1
      }
      const shape = [relays.length, associations.length, associations.flatMap(({ addresses }) => addresses).length]
      const counts = shape.map((many) => '|'.repeat(Math.min(many, 9))).join(',')
      return `${facts.request} ${facts.reply} ${facts.because} ${counts} ${architecture === undefined} ${request.mac === undefined}`
    })
    expect(answered).toBeGreaterThan(1_000)
    expect([...seen.keys()].filter((word) => word.startsWith('refused')).length).toBeGreaterThan(5)
  },
  FUZZ_DEADLINE_MS,
)
