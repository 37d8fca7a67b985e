import { Reader } from '@bloomery/wire/reader.ts'
import { SERVER_PORT } from './codes.ts'

export interface CapturedRequest {
  /** The client's own address, 16 bytes. */
  source: Uint8Array
  payload: Uint8Array
}

/** What was sent to DHCPv6's servers in a classic pcap file (Ethernet, little-endian, no extension headers). */
export function capturedRequests(pcap: Uint8Array): CapturedRequest[] {
  const reader = new Reader(pcap)
  reader.skip(24)
  const found: CapturedRequest[] = []
  while (reader.remaining > 0) {
    reader.skip(8)
    const length = reader.u32le()
    reader.skip(4)
    const request = toServers(new Reader(reader.bytes(length)))
    if (request !== undefined) found.push(request)
  }
  return found
}

function toServers(frame: Reader): CapturedRequest | undefined {
  frame.skip(12)
  if (frame.u16() !== 0x86dd) return undefined
  frame.skip(6)
  if (frame.u8() !== 17) return undefined
  frame.skip(1)
  const source = frame.bytes(16).slice()
  frame.skip(18)
  if (frame.u16() !== SERVER_PORT) return undefined
  const length = frame.u16() - 8
  frame.skip(2)
  return { source, payload: frame.bytes(length) }
}
