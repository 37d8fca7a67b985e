import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { CLIENT_PORT, SERVER_PORT } from './codes.ts'
import type { Answer, Decision, Facts } from './decision.ts'
import { decideLease } from './lease-machine.ts'
import type { LeaseStore } from './lease.ts'
import { decodePacket, encodePacket } from './packet.ts'
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
  stop(): Promise<void>
}

export async function startDhcpServer(options: DhcpServerOptions): Promise<DhcpServer> {
  const socket = createSocket({ type: 'udp4' })
  const handling = new Handling(socket, options)
  socket.on('message', (bytes) => handling.receive(bytes))
  socket.bind(options.port ?? SERVER_PORT, options.host)
  await once(socket, 'listening')
  socket.setBroadcast(true)
  socket.setRecvBufferSize(RECEIVE_BUFFER)
  socket.on('error', (error) => options.onError(error))
  return { port: socket.address().port, stop: () => handling.stop() }
}

class Handling {
  readonly #socket: Socket
  readonly #options: DhcpServerOptions
  readonly #servers: ReadonlySet<number>
  #waiting: Decision[] = []
  #flushing: Promise<void> | undefined

  constructor(socket: Socket, options: DhcpServerOptions) {
    this.#socket = socket
    this.#options = options
    this.#servers = new Set(options.subnets.map(({ serverAddress }) => serverAddress))
  }

  receive(bytes: Uint8Array): void {
    try {
      const request = readRequest(decodePacket(bytes))
      const decision = this.#decide(request)
      if (this.#waiting.length >= MAX_WAITING)
        throw new Error(`${MAX_WAITING} replies wait for the lease database: message of ${request.mac} dropped`)
      for (const change of decision.changes) this.#options.leases.stage(change)
      this.#waiting.push(decision)
      this.#flushing ??= this.#flush()
    } catch (error) {
      if (error instanceof Error) this.#options.onError(error)
    }
  }

  async stop(): Promise<void> {
    this.#socket.removeAllListeners('message')
    await this.#flushing
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #decide(request: DhcpRequest): Decision {
    const { answer, subnets, leases, now, reservedFor } = this.#options
    const at = now()
    const said = answer(request, at)
    const subnet = subnetFor(subnets, request, said.serve ? said.address : undefined)
    if (subnet === undefined) {
      const { giaddr } = request.packet
      const from = giaddr === 0 ? 'without a relay' : `by way of ${ipv4ToText(giaddr)}`
      throw new Error(`${request.mac} asks ${from}, where no subnet is configured`)
    }
    return decideLease({ request, subnet, servers: this.#servers, leases, answer: said, reservedFor, now: at })
  }

  /** Group commit: what comes in during one turn of the event loop, or while the disk works, is made durable together. */
  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate)
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#options.leases.commit()
        for (const decision of batch) this.#send(decision)
      } catch (cause) {
        this.#options.onError(new Error(`${batch.length} replies withheld: leases could not be stored`, { cause }))
      }
    }
    this.#flushing = undefined
  }

  #send({ reply, facts }: Decision): void {
    if (reply !== undefined) {
      const { address, to } = reply.destination
      const { relayPort = SERVER_PORT, clientPort = CLIENT_PORT } = this.#options
      const bytes = encodePacket(reply.packet, reply.limit)
      this.#socket.send(bytes, to === 'relay' ? relayPort : clientPort, ipv4ToText(address), (error) => {
        if (error) this.#options.onError(new Error(`reply to ${facts.mac} not sent`, { cause: error }))
      })
    }
    this.#options.onDecision(facts)
  }
}
