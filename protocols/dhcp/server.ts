import { openIpv4Socket, type Ipv4Socket } from '@bloomery/wire/ipv4-socket.ts'
import { PXE_PORT, SERVER_PORT } from './codes.ts'
import type { Answer, Facts } from './decision.ts'
import { Handling } from './handling.ts'
import type { LeaseStore } from './lease.ts'
import type { DhcpRequest } from './request.ts'
import type { ForeignServer } from './rogue.ts'
import type { Subnet } from './subnet.ts'

/** A rack that powers on at once must find room while something else is done. */
const RECEIVE_BUFFER = 4 * 1_048_576

export interface DhcpServerOptions {
  host: string
  port?: number
  /** Where replies go: 67 and 68, unless nobody may bind those. */
  relayPort?: number
  clientPort?: number
  /** Opened where a subnet is another server's: 4011. */
  pxePort?: number
  /** False: datagrams one by one, also where the platform has batches. */
  batches?: boolean
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
  batches: boolean
  /** Asks each attached network whether others answer; what they say goes to `onForeignServer`. */
  probeForServers(xid: number): void
  stop(): Promise<void>
}

export async function startDhcpServer(options: DhcpServerOptions): Promise<DhcpServer> {
  const handling = new Handling(options)
  const open = (port: number, heardOn: 'dhcp' | 'pxe'): Promise<Ipv4Socket> =>
    openIpv4Socket({
      host: options.host,
      port,
      receiveBuffer: RECEIVE_BUFFER,
      batches: options.batches,
      onMessage: (bytes, from) => handling.receive(bytes, { from, heardOn, at: performance.now() }),
      onError: options.onError,
    })
  const main = await open(options.port ?? SERVER_PORT, 'dhcp')
  handling.sockets.dhcp = main
  const proxies = options.subnets.some(({ proxy }) => proxy)
  if (proxies)
    handling.sockets.pxe = await open(options.pxePort ?? PXE_PORT, 'pxe').catch(async (error: unknown) => {
      await main.close()
      throw error
    })
  const sockets = Object.values(handling.sockets)
  return {
    port: main.port,
    pxePort: handling.sockets.pxe?.port,
    batches: main.batches,
    probeForServers: (xid) => handling.probeForServers(xid),
    async stop() {
      for (const socket of sockets) socket.deafen()
      await handling.settled()
      await Promise.all(sockets.map((socket) => socket.close()))
    },
  }
}
