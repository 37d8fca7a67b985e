import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { WireError } from '@bloomery/wire/error.ts'
import {
  discover,
  received,
  releaseMessage,
  renew,
  RETRY_MS,
  timedOut,
  type AcquiredLease,
  type ClientIdentity,
  type ClientState,
} from './client-machine.ts'
import { CLIENT_PORT, SERVER_PORT } from './codes.ts'
import { decodePacket, encodePacket, type DhcpPacket } from './packet.ts'

/** A socket that any number of clients share; each knows its own messages by transaction and MAC. */
export interface ClientChannel {
  port: number
  send(packet: DhcpPacket): void
  listen(listener: (packet: DhcpPacket) => void): () => void
  close(): Promise<void>
}

export interface ClientTiming {
  /** A new transaction id: 32 random bits. */
  xid: () => number
  now: () => number
  retry?: readonly number[]
}

export async function openClientChannel(options: {
  host: string
  port?: number
  server: { address: string; port?: number }
}): Promise<ClientChannel> {
  const socket = createSocket({ type: 'udp4' })
  const listeners = new Set<(packet: DhcpPacket) => void>()
  socket.on('message', (bytes) => {
    try {
      const packet = decodePacket(bytes)
      for (const listener of listeners) listener(packet)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  })
  socket.bind(options.port ?? CLIENT_PORT, options.host)
  await once(socket, 'listening')
  socket.setBroadcast(true)
  return {
    port: socket.address().port,
    // A failure to send looks like a lost datagram: the machine sends again and gives up by itself.
    send: (packet) =>
      socket.send(encodePacket(packet), options.server.port ?? SERVER_PORT, options.server.address, () => {}),
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

export function acquireLease(
  channel: ClientChannel,
  identity: ClientIdentity,
  timing: ClientTiming,
): Promise<AcquiredLease> {
  return run(channel, discover(identity, timing.xid(), timing.now(), timing.retry), timing)
}

export function renewLease(
  channel: ClientChannel,
  identity: ClientIdentity,
  lease: AcquiredLease,
  timing: ClientTiming,
): Promise<AcquiredLease> {
  return run(channel, renew(identity, lease, timing.xid(), timing.now(), timing.retry), timing)
}

export function releaseLease(
  channel: ClientChannel,
  identity: ClientIdentity,
  lease: AcquiredLease,
  timing: Pick<ClientTiming, 'xid'>,
): void {
  channel.send(releaseMessage(identity, lease, timing.xid()))
}

function run(channel: ClientChannel, first: ClientState, timing: ClientTiming): Promise<AcquiredLease> {
  const retry = timing.retry ?? RETRY_MS
  return new Promise((resolve, reject) => {
    let state = first
    let timer: NodeJS.Timeout | undefined
    const enter = (next: ClientState, fresh = next !== state): void => {
      if (!fresh) return
      state = next
      clearTimeout(timer)
      if ('message' in next) {
        channel.send(next.message)
        // The timer's clock and `now` may differ by a little: what woke us is due.
        const wake = (): void => enter(timedOut(state, Math.max(timing.now(), next.due), retry))
        timer = setTimeout(wake, Math.max(1, next.due - timing.now()))
        return
      }
      unlisten()
      if (next.phase === 'bound') resolve(next.lease)
      else reject(new Error(`no DHCP lease: ${next.because}`))
    }
    const unlisten = channel.listen((packet) => enter(received(state, packet, timing.now(), retry)))
    enter(first, true)
  })
}
