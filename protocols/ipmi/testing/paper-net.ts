import { WireError } from '@bloomery/wire/error.ts'
import type { Bmc } from '../bmc.ts'
import { decodePacket, type Packet } from '../packet.ts'
import type { IpmiSocket, PacketListener } from '../socket.ts'

/** An IpmiSocket with one BMC behind it, and a say in what gets through. */
export interface PaperNet extends IpmiSocket {
  bmc: Bmc
  /** Whether this datagram is lost; `sent` counts those towards the BMC. */
  loses: (direction: 'to BMC' | 'to console', packet: Packet) => boolean
  sent: Packet[]
  /** Datagrams that reach the console just before this answer of the BMC. */
  noise: (answer: Uint8Array) => Iterable<Uint8Array>
  /** What sending fails with, instead of sending. */
  fault?: Error
}

export function paperNet(bmc: Bmc): PaperNet {
  const listeners = new Map<number, Set<PacketListener>>()
  const deliver = (bytes: Uint8Array): void => {
    const packet = decodeOrDrop(bytes)
    if (!packet) return
    const heard = listeners.get(packet.format === 'asf' ? 0 : packet.sessionId) ?? []
    for (const listener of heard) listener(packet, bytes)
  }
  const net: PaperNet = {
    bmc,
    loses: () => false,
    sent: [],
    noise: () => [],
    async send(_to, bytes) {
      if (net.fault) throw net.fault
      const packet = decodePacket(bytes)
      net.sent.push(packet)
      if (net.loses('to BMC', packet)) return
      const answered = (answer: Uint8Array): void => {
        if (net.loses('to console', decodePacket(answer))) return
        for (const bytes of net.noise(answer)) deliver(bytes)
        deliver(answer)
      }
      void net.bmc.receive(bytes, answered).then((answer) => answer && answered(answer))
    },
    listen(_from, sessionId, listener) {
      const heard = listeners.get(sessionId) ?? new Set()
      listeners.set(sessionId, heard.add(listener))
      return () => void heard.delete(listener)
    },
    dropped: () => 0,
    close: () => Promise.resolve(),
  }
  return net
}

function decodeOrDrop(bytes: Uint8Array): Packet | undefined {
  try {
    return decodePacket(bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
