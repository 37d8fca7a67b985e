import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { PXE_PORT, SERVER_PORT } from './codes.ts'
import type { Answer, Facts } from './decision.ts'
import { Handling } from './handling.ts'
import type { LeaseStore } from './lease.ts'
import type { DhcpRequest } from './request.ts'
import type { ForeignServer } from './rogue.ts'
import type { Subnet } from './subnet.ts'

/** A rack that powers on at once must find room while leases are being synced; the kernel gives at most net.core.rmem_max. */
const RECEIVE_BUFFER = 4 * 1_048_576

export interface DhcpServerOptions {
  host: string
  port?: number
  /** Where replies go: 67 and 68, unless nobody may bind those. */
  relayPort?: number
  clientPort?: number
  /** Opened where a subnet is another server's: 4011. */
  pxePort?: number
  subnets: readonly Subnet[]
  leases: LeaseStore
  answer: (request: DhcpRequest, now: number) => Answer
  reservedFor: (address: number) => string | undefined
  now: () => number
  /** Who answers at an address that is about to be offered; asked where the answer says `probe`. */
  hostAt?: (address: number) => Promise<string | undefined>
  /** Heard of another server where we give the addresses. */
  onForeignServer?: (found: ForeignServer) => void
  /** With the milliseconds from hearing a message to answering it; none for a decision on the way there. */
  onDecision: (facts: Facts, milliseconds?: number) => void
  /** A message that is no DHCP, or a failure of disk or network; the server goes on. */
  onError: (error: Error) => void
}

export interface DhcpServer {
  port: number
  pxePort?: number
  /** Asks each attached network whether others answer; what they say goes to `onForeignServer`. */
  probeForServers(xid: number): void
  stop(): Promise<void>
}

export async function startDhcpServer(options: DhcpServerOptions): Promise<DhcpServer> {
  const main = await open(options.host, options.port ?? SERVER_PORT)
  const proxies = options.subnets.some(({ proxy }) => proxy)
  const pxe = proxies
    ? await open(options.host, options.pxePort ?? PXE_PORT).catch((error: unknown) => {
        main.close()
        throw error
      })
    : undefined
  const handling = new Handling(options)
  const sockets = [main, ...(pxe === undefined ? [] : [pxe])]
  for (const socket of sockets) {
    const heardOn = socket === main ? 'dhcp' : 'pxe'
    socket.on('message', (bytes, from) => handling.receive(bytes, { socket, from, heardOn, at: performance.now() }))
    socket.on('error', (error) => options.onError(error))
  }
  return {
    port: main.address().port,
    pxePort: pxe?.address().port,
    probeForServers: (xid) => handling.probeForServers(main, xid),
    async stop() {
      for (const socket of sockets) socket.removeAllListeners('message')
      await handling.settled()
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))))
    },
  }
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4' })
  socket.bind(port, host)
  await once(socket, 'listening')
  socket.setBroadcast(true)
  socket.setRecvBufferSize(RECEIVE_BUFFER)
  return socket
}
