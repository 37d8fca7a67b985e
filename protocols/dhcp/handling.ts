import { ipv4ToText, macToBytes } from '@bloomery/wire/address.ts'
import type { Endpoint, Ipv4Socket } from '@bloomery/wire/ipv4-socket.ts'
import { BROADCAST, CLIENT_PORT, SERVER_PORT } from './codes.ts'
import type { Decision } from './decision.ts'
import { decideLease } from './lease-machine.ts'
import { answerLeaseQuery, isLeaseQuery } from './lease-query.ts'
import type { LeaseChange } from './lease.ts'
import { decodePacket, encodedForNow, type DhcpPacket } from './packet.ts'
import { Probing } from './probing.ts'
import { decideProxy } from './proxy.ts'
import { readRequest, type DhcpRequest } from './request.ts'
import { chosenByClient, offeredToProbe, PROBE_MAC, probeMessage } from './rogue.ts'
import type { DhcpServerOptions } from './server.ts'
import { contains, subnetFor, type Subnet } from './subnet.ts'

const NOBODY: ReadonlySet<number> = new Set()
/** Replies that wait for the disk. Beyond, clients are left to ask again: by then the disk may have caught up. */
const MAX_WAITING = 8_192

/** Where a message came in, and so where its answer goes out. */
export interface Arrival {
  from: Endpoint
  heardOn: 'dhcp' | 'pxe'
  /** performance.now() then. */
  at: number
}

/** Messages → decisions → replies: what of it must be durable is committed in groups before anybody hears of it. */
export class Handling {
  /** Set as they are opened; an answer goes out where its question came in. */
  readonly sockets: { dhcp?: Ipv4Socket; pxe?: Ipv4Socket } = {}
  readonly #options: DhcpServerOptions
  readonly #subnets: readonly Subnet[]
  readonly #servers: ReadonlySet<number>
  #waiting: { decision: Decision; arrival: Arrival }[] = []
  #flushing: Promise<void> | undefined
  readonly #probing: Probing
  #probeXid: number | undefined

  /** `subnets` are those whose clients can be heard on these sockets. */
  constructor(options: DhcpServerOptions, subnets: readonly Subnet[]) {
    this.#options = options
    this.#subnets = subnets
    this.#servers = new Set(options.subnets.map(({ serverAddress }) => serverAddress))
    const { leases, now, onDecision, hostAt = () => Promise.resolve(undefined) } = options
    this.#probing = new Probing({ hostAt, now, onDecision, stage: (change) => leases.stage(change) })
  }

  receive(bytes: Uint8Array, arrival: Arrival): void {
    try {
      const packet = decodePacket(bytes)
      if (this.#isOfProbe(packet)) return
      if (isLeaseQuery(packet)) {
        this.#answerQuery(packet, arrival)
        return
      }
      const request = readRequest(packet)
      const decision = this.#decide(request, arrival.heardOn)
      if (decision === undefined) return
      if (this.#waiting.length >= MAX_WAITING)
        throw new Error(`${MAX_WAITING} replies wait for the lease database: message of ${request.mac} dropped`)
      if (decision.probe === undefined) this.#carryOut(decision, arrival)
      else this.#probeFirst(decision, request, arrival)
    } catch (error) {
      if (error instanceof Error) this.#options.onError(error)
    }
  }

  probeForServers(xid: number): void {
    this.#probeXid = xid
    const attached = this.#subnets.filter((subnet) => contains(subnet, subnet.serverAddress) && !subnet.proxy)
    for (const subnet of attached) {
      const to = { address: BROADCAST, port: this.#options.port || SERVER_PORT }
      this.sockets.dhcp?.send(encodedForNow(probeMessage(subnet, xid)), to)
    }
  }

  /** Our own probe comes back to us, and so do the offers that it gets. */
  #isOfProbe(packet: DhcpPacket): boolean {
    if (this.#probeXid === undefined || packet.xid !== this.#probeXid) return false
    if (!Buffer.from(packet.chaddr).equals(macToBytes(PROBE_MAC))) return false
    const found = packet.op === 2 ? offeredToProbe(packet, this.#probeXid, this.#servers) : undefined
    if (found !== undefined) this.#options.onForeignServer?.(found)
    return true
  }

  #answerQuery(query: DhcpPacket, { at }: Arrival): void {
    const { subnets, leases, now, leaseQueriers: askers = NOBODY, relayPort = SERVER_PORT } = this.#options
    const { packet, to, facts } = answerLeaseQuery(query, { subnets, leases, askers, now: now() })
    this.sockets.dhcp?.send(encodedForNow(packet), { address: to, port: relayPort })
    this.#options.onDecision(facts, performance.now() - at)
  }

  #probeFirst(decision: Decision, request: DhcpRequest, arrival: Arrival): void {
    if (!this.#probing.accepts(request.mac)) return
    const stage = ({ changes }: Decision): void => changes.forEach((change) => this.#options.leases.stage(change))
    const again = (): Decision | undefined => {
      const next = this.#decide(request, arrival.heardOn)
      if (next !== undefined) stage(next) // so that nobody else is offered it meanwhile
      return next
    }
    stage(decision)
    this.#probing.settle(decision, again).then(
      (settled) => settled && this.#carryOut(settled, arrival),
      (error: Error) => this.#options.onError(error),
    )
  }

  #carryOut(decision: Decision, arrival: Arrival): void {
    for (const change of decision.changes) this.#options.leases.stage(change)
    if (!decision.changes.some(mustBeDurable)) {
      this.#send(decision, arrival)
      return
    }
    this.#waiting.push({ decision, arrival })
    this.#flushing ??= this.#flush()
  }

  async settled(): Promise<void> {
    await this.#flushing
  }

  #decide(request: DhcpRequest, heardOn: Arrival['heardOn']): Decision | undefined {
    const { answer, leases, now, reservedFor } = this.#options
    const at = now()
    const said = answer(request, at)
    const own = said.serve ? said : undefined
    const subnet = own?.subnet ?? subnetFor(this.#subnets, request, own?.address)
    if (subnet === undefined) {
      const { giaddr } = request.packet
      const from = giaddr === 0 ? 'without a relay' : `by way of ${ipv4ToText(giaddr)}`
      throw new Error(`${request.mac} asks ${from}, where no subnet is configured`)
    }
    const situation = { request, subnet, servers: this.#servers, answer: said }
    if (subnet.proxy) return decideProxy({ ...situation, heardOn })
    if (heardOn === 'pxe') return undefined
    const foreign = chosenByClient(request, this.#servers)
    if (foreign !== undefined) this.#options.onForeignServer?.(foreign)
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

  #send({ reply, facts }: Decision, { from, heardOn, at }: Arrival): void {
    if (reply !== undefined) {
      const { destination, packet, limit } = reply
      const { relayPort = SERVER_PORT, clientPort = CLIENT_PORT } = this.#options
      const to =
        destination.to === 'source'
          ? from
          : { address: destination.address, port: destination.to === 'relay' ? relayPort : clientPort }
      this.sockets[heardOn]?.send(encodedForNow(packet, limit), to)
    }
    this.#options.onDecision(facts, performance.now() - at)
  }
}

/** A client whose offer a restart forgot asks again, so an offer needn't wait for the disk. */
function mustBeDurable(change: LeaseChange): boolean {
  return change.kind === 'remove' || change.lease.state !== 'offered'
}
