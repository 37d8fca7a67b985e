import { Reader } from '@bloomery/wire/reader.ts'

export interface CapturedDatagram {
  sourcePort: number
  destinationPort: number
  payload: Uint8Array
}

/** The IPv4 UDP datagrams of a classic pcap file (Ethernet, micro- or nanoseconds, either byte order). */
export function udpDatagrams(pcap: Uint8Array): CapturedDatagram[] {
  const reader = new Reader(pcap)
  const little = [0xa1b2_c3d4, 0xa1b2_3c4d].includes(reader.u32le())
  reader.skip(20)
  const found: CapturedDatagram[] = []
  while (reader.remaining > 0) {
    reader.skip(8)
    const length = little ? reader.u32le() : reader.u32()
    reader.skip(4)
    const datagram = udp(reader.bytes(length))
    if (datagram !== undefined) found.push(datagram)
  }
  return found
}

function udp(frame: Uint8Array): CapturedDatagram | undefined {
  const reader = new Reader(frame)
  reader.skip(12)
  if (reader.u16() !== 0x0800) return undefined
  const headerLength = (reader.u8() & 0x0f) * 4
  reader.skip(8)
  if (reader.u8() !== 17) return undefined
  reader.skip(headerLength - 10)
  const sourcePort = reader.u16()
  const destinationPort = reader.u16()
  const length = reader.u16() - 8
  reader.skip(2)
  return { sourcePort, destinationPort, payload: reader.bytes(Math.min(length, reader.remaining)) }
}
