import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { CLIENT_PORT, PXE_PORT, SERVER_PORT } from './codes.ts'
import type { Answer, Decision, Facts } from './decision.ts'
import { decideLease } from './lease-machine.ts'
import type { LeaseChange, LeaseStore } from './lease.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { decideProxy } from './proxy.ts'
import { readRequest, type DhcpRequest } from './request.ts'
import { subnetFor, type Subnet } from './subnet.ts'

/** Replies that wait for the disk. Beyond, clients are left to ask again: by then the disk may have caught up. */
const MAX_WAITING = 2_048

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
  onDecision: (facts: Facts) => void
  /** A message that is no DHCP, or a failure of disk or network; the server goes on. */
  onError: (error: Error) => void
}

export interface DhcpServer {
  port: number
  pxePort?: number
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
    socket.on('message', (bytes, from) => handling.receive(bytes, { socket, from, heardOn }))
    socket.on('error', (error) => options.onError(error))
  }
  return {
    port: main.address().port,
    pxePort: pxe?.address().port,
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

interface Arrival {
  socket: Socket
  from: RemoteInfo
  heardOn: 'dhcp' | 'pxe'
}

class Handling {
  readonly #options: DhcpServerOptions
  readonly #servers: ReadonlySet<number>
  #waiting: { decision: Decision; arrival: Arrival }[] = []
  #flushing: Promise<void> | undefined

  constructor(options: DhcpServerOptions) {
    this.#options = options
    this.#servers = new Set(options.subnets.map(({ serverAddress }) => serverAddress))
  }

  receive(bytes: Uint8Array, arrival: Arrival): void {
    try {
      const request = readRequest(decodePacket(bytes))
      const decision = this.#decide(request, arrival.heardOn)
      if (decision === undefined) return
      if (this.#waiting.length >= MAX_WAITING)
        throw new Error(`${MAX_WAITING} replies wait for the lease database: message of ${request.mac} dropped`)
      for (const change of decision.changes) this.#options.leases.stage(change)
      if (!decision.changes.some(mustBeDurable)) {
        this.#send(decision, arrival)
        return
      }
      this.#waiting.push({ decision, arrival })
      this.#flushing ??= this.#flush()
    } catch (error) {
      if (error instanceof Error) this.#options.onError(error)
    }
  }

  async settled(): Promise<void> {
    await this.#flushing
  }

  #decide(request: DhcpRequest, heardOn: Arrival['heardOn']): Decision | undefined {
    const { answer, subnets, leases, now, reservedFor } = this.#options
    const at = now()
    const said = answer(request, at)
    const subnet = subnetFor(subnets, request, said.serve ? said.address : undefined)
    if (subnet === undefined) {
      const { giaddr } = request.packet
      const from = giaddr === 0 ? 'without a relay' : `by way of ${ipv4ToText(giaddr)}`
      throw new Error(`${request.mac} asks ${from}, where no subnet is configured`)
    }
    const situation = { request, subnet, servers: this.#servers, answer: said }
    if (subnet.proxy) return decideProxy({ ...situation, heardOn })
    if (heardOn === 'pxe') return undefined
    return decideLease({ ...situation, leases, reservedFor, now: at })
  }

  /** Group commit: what comes in during one turn of the event loop, or while the disk works, is made durable together. */
  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate)
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#options.leases.commit()
        for (const { decision, arrival } of batch) this.#send(decision, arrival)
      } catch (cause) {
        this.#options.onError(new Error(`${batch.length} replies withheld: leases could not be stored`, { cause }))
      }
    }
    this.#flushing = undefined
  }

  #send({ reply, facts }: Decision, { socket, from }: Arrival): void {
    if (reply !== undefined) {
      const { destination } = reply
      const { relayPort = SERVER_PORT, clientPort = CLIENT_PORT } = this.#options
      const [address, port] =
        destination.to === 'source'
          ? [from.address, from.port]
          : [ipv4ToText(destination.address), destination.to === 'relay' ? relayPort : clientPort]
      socket.send(encodePacket(reply.packet, reply.limit), port, address, (error) => {
        if (error) this.#options.onError(new Error(`reply to ${facts.mac} not sent`, { cause: error }))
      })
    }
    this.#options.onDecision(facts)
  }
}

/** A client whose offer a restart forgot asks again, so an offer needn't wait for the disk. */
function mustBeDurable(change: LeaseChange): boolean {
  return change.kind === 'remove' || change.lease.state !== 'offered'
}
