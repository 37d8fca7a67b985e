import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { ipv6ToBytes, ipv6ToText } from '@bloomery/wire/address6.ts'
import { ALL_AGENTS, ALL_SERVERS, CLIENT_PORT, SERVER_PORT } from './codes.ts'
import { decide, type Answer, type Facts, type Link } from './decide.ts'
import { linkOf, wrapped } from './relay.ts'
import { readRequest, type DhcpRequest } from './request.ts'

/** Clients that declined an address, remembered so that they get another; those longest ago are forgotten first. */
const MAX_DECLINED = 4_096

export interface ServedLink extends Link {
  /** The interface that it is attached to; absent where its clients come by way of relays. */
  interface?: string
}

export interface Dhcp6ServerOptions {
  port?: number
  clientPort?: number
  serverId: Uint8Array
  links: readonly ServedLink[]
  answer: (request: DhcpRequest) => Answer
  onDecision: (facts: Facts) => void
  onError: (error: Error) => void
}

export interface Dhcp6Server {
  port: number
  stop(): Promise<void>
}

export async function startDhcp6Server(options: Dhcp6ServerOptions): Promise<Dhcp6Server> {
  const socket = createSocket({ type: 'udp6', ipv6Only: true })
  const handling = new Handling(socket, options)
  socket.on('message', (bytes, from) => handling.receive(bytes, from))
  socket.bind(options.port ?? SERVER_PORT, '::')
  await once(socket, 'listening')
  socket.on('error', (error) => options.onError(error))
  try {
    for (const name of options.links.flatMap((link) => link.interface ?? []))
      for (const group of [ALL_AGENTS, ALL_SERVERS]) socket.addMembership(group, `::%${name}`)
  } catch (cause) {
    socket.close()
    throw new Error('DHCPv6 cannot listen on an interface: is it there, and is IPv6 on?', { cause })
  }
  return {
    port: socket.address().port,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

class Handling {
  readonly #socket: Socket
  readonly #options: Dhcp6ServerOptions
  readonly #declined = new Map<string, number>()

  constructor(socket: Socket, options: Dhcp6ServerOptions) {
    this.#socket = socket
    this.#options = options
  }

  receive(bytes: Uint8Array, from: RemoteInfo): void {
    try {
      const [source = '', scope] = from.address.split('%')
      const request = readRequest(bytes, ipv6ToBytes(source))
      const client = Buffer.from(request.clientId ?? []).toString('hex')
      const declined = this.#declined.get(client) ?? 0
      const { answer, serverId, onDecision } = this.#options
      const said = answer(request)
      const link = (said.serve ? said.link : undefined) ?? this.#linkFor(request, scope)
      const { reply, facts, declines } = decide({ request, serverId, link, answer: said, declined })
      if (declines) this.#remember(client, declined + 1)
      onDecision(facts)
      if (reply === undefined) return
      // To a client at its port, to a relay at the servers' (RFC 8415 §7.2), unless those are not to be had.
      const { port = SERVER_PORT, clientPort = CLIENT_PORT } = this.#options
      const to = request.relays.length === 0 ? clientPort : port === SERVER_PORT ? SERVER_PORT : from.port
      this.#socket.send(wrapped(reply, request.relays), to, from.address, (error) => {
        if (error) this.#options.onError(new Error(`DHCPv6 reply to ${from.address} not sent`, { cause: error }))
      })
    } catch (error) {
      if (error instanceof Error) this.#options.onError(error)
    }
  }

  #linkFor(request: DhcpRequest, scope: string | undefined): ServedLink {
    const { links } = this.#options
    const named = linkOf(request.relays)
    const found =
      named === undefined
        ? links.find((link) => link.interface !== undefined && link.interface === scope)
        : links.find(({ prefix }) => Buffer.from(prefix.subarray(0, 8)).equals(named.subarray(0, 8)))
    if (found !== undefined) return found
    const where = named === undefined ? `on interface ${scope ?? 'unknown'}` : `by way of ${ipv6ToText(named)}`
    throw new Error(`a DHCPv6 client asks ${where}, where no link is configured`)
  }

  #remember(client: string, times: number): void {
    this.#declined.delete(client)
    this.#declined.set(client, times)
    const oldest = this.#declined.keys().next().value
    if (this.#declined.size > MAX_DECLINED && oldest !== undefined) this.#declined.delete(oldest)
  }
}
