import { openIpv4Socket, type Ipv4Socket } from '@bloomery/wire/ipv4-socket.ts'
import { PXE_PORT, SERVER_PORT } from './codes.ts'
import type { Answer, Facts } from './decision.ts'
import { Handling } from './handling.ts'
import type { LeaseStore } from './lease.ts'
import type { DhcpRequest } from './request.ts'
import type { ForeignServer } from './rogue.ts'
import { byDevice, type Subnet } from './subnet.ts'

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
  /** Addresses whose lease queries are answered (RFC 4388). */
  leaseQueriers?: ReadonlySet<number>
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
  const handlings: Handling[] = []
  const sockets: Ipv4Socket[] = []
  const close = async (): Promise<void> => {
    await Promise.all(sockets.map((socket) => socket.close()))
  }
  try {
    for (const [device, subnets] of byDevice(options.subnets)) {
      const handling = new Handling(options, subnets)
      handlings.push(handling)
      for (const heardOn of ['dhcp', 'pxe'] as const) {
        if (heardOn === 'pxe' && !subnets.some(({ proxy }) => proxy)) continue
        const socket = await openSocket(options, handling, heardOn, device)
        handling.sockets[heardOn] = socket
        sockets.push(socket)
      }
    }
  } catch (error) {
    await close()
    throw error
  }
  const [first] = handlings
  return {
    port: first?.sockets.dhcp?.port ?? 0,
    pxePort: handlings.find(({ sockets: { pxe } }) => pxe !== undefined)?.sockets.pxe?.port,
    batches: first?.sockets.dhcp?.batches ?? false,
    probeForServers: (xid) => handlings.forEach((handling) => handling.probeForServers(xid)),
    async stop() {
      for (const socket of sockets) socket.deafen()
      await Promise.all(handlings.map((handling) => handling.settled()))
      await close()
    },
  }
}

function openSocket(
  options: DhcpServerOptions,
  handling: Handling,
  heardOn: 'dhcp' | 'pxe',
  device: string | undefined,
): Promise<Ipv4Socket> {
  const { host, batches, onError, port = SERVER_PORT, pxePort = PXE_PORT } = options
  return openIpv4Socket({
    host,
    port: heardOn === 'dhcp' ? port : pxePort,
    device,
    receiveBuffer: RECEIVE_BUFFER,
    batches,
    onMessage: (bytes, from) => handling.receive(bytes, { from, heardOn, at: performance.now() }),
    onError,
  })
}
