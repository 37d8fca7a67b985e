import { createSocket, type Socket } from 'node:dgram'
import { isIPv6, SocketAddress } from 'node:net'
import { WireError } from '@bloomery/wire/error.ts'
import { decodePacket, type Packet } from './packet.ts'

export interface Endpoint {
  address: string
  port: number
}

/** `bytes` is the datagram that `packet` was decoded from; its signature is over them. */
export type PacketListener = (packet: Packet, bytes: Uint8Array) => void

/** One UDP socket for every BMC of a site: an open session costs memory, not a descriptor. */
export interface IpmiSocket {
  send(to: Endpoint, bytes: Uint8Array): Promise<void>
  /** Hears what comes from this endpoint for this session id (0: outside sessions) until the returned function is called. */
  listen(from: Endpoint, sessionId: number, listener: PacketListener): () => void
  /** Datagrams that were no IPMI, or from nobody that was asked. */
  dropped(): number
  close(): Promise<void>
}

type Family = 'udp4' | 'udp6'

export function openIpmiSocket(): IpmiSocket {
  const listeners = new Map<string, Set<PacketListener>>()
  const sockets = new Map<Family, Promise<Socket>>()
  let closed = false
  let dropped = 0

  const receive = (bytes: Uint8Array, from: Endpoint): void => {
    let packet: Packet
    try {
      packet = decodePacket(bytes)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      dropped += 1
      return
    }
    const heard = listeners.get(key(from, packet.format === 'asf' ? 0 : packet.sessionId))
    if (!heard) dropped += 1
    for (const listener of heard ?? []) listener(packet, bytes)
  }

  const socketOf = (family: Family): Promise<Socket> => {
    const existing = sockets.get(family)
    if (existing) return existing
    const opening = bind(family, receive)
    sockets.set(family, opening)
    opening.catch(() => sockets.delete(family))
    return opening
  }

  return {
    async send(to, bytes) {
      if (closed) throw new Error('the IPMI socket is closed')
      const socket = await socketOf(to.address.includes(':') ? 'udp6' : 'udp4')
      await new Promise<void>((resolve, reject) => {
        socket.send(bytes, to.port, to.address, (error) => (error ? reject(error) : resolve()))
      })
    },
    listen(from, sessionId, listener) {
      const at = key({ ...from, address: asHeard(from.address) }, sessionId)
      const heard = listeners.get(at) ?? new Set()
      listeners.set(at, heard.add(listener))
      return () => {
        heard.delete(listener)
        if (heard.size === 0 && listeners.get(at) === heard) listeners.delete(at)
      }
    },
    dropped: () => dropped,
    async close() {
      closed = true
      const open = await Promise.all(sockets.values())
      sockets.clear()
      await Promise.all(open.map((socket) => new Promise<void>((resolve) => void socket.close(resolve))))
    },
  }
}

/** RFC 5952: as the kernel writes it, whoever wrote it otherwise. */
function asHeard(address: string): string {
  const [plain = '', zone] = address.split('%')
  if (!isIPv6(plain)) return address
  const { address: written } = new SocketAddress({ address: plain, family: 'ipv6' })
  return zone === undefined ? written : `${written}%${zone}`
}

function key(endpoint: Endpoint, sessionId: number): string {
  return `${endpoint.address} ${endpoint.port} ${sessionId}`
}

async function bind(family: Family, receive: (bytes: Uint8Array, from: Endpoint) => void): Promise<Socket> {
  // What is sent to is an address already.
  const socket = createSocket({ type: family, lookup: (address, _options, found) => found(null, address, 0) })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, () => {
      socket.off('error', reject)
      resolve()
    })
  })
  // An ICMP "port unreachable" surfaces here on some systems; the request's own deadline reports it.
  socket.on('error', () => undefined)
  socket.on('message', (bytes, from) => receive(bytes, from))
  return socket
}
