import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import { once } from 'node:events'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { startFastSender, type FastSender } from './fast-sender.ts'
import { blksizeFor, ETHERNET_MTU, negotiate, type Terms } from './negotiate.ts'
import { toNetascii } from './netascii.ts'
import { decodePacket, encodePacket, TftpError, type TftpPacket } from './packet.ts'
import { PortRange } from './port-range.ts'
import { sendFile, type Outcome } from './sending.ts'
import { OnePort } from './one-port.ts'
import { fileOf, type TftpClient, type TftpFile, type TftpSource } from './source.ts'

const MAX_NETASCII = 1_048_576

export interface TftpServerOptions {
  host: string
  port?: number
  /** Ports of the transfers, for firewalls; any port where absent. */
  portRange?: readonly [first: number, last: number]
  /** Transfers go by the request port itself, for firewalls that follow no TFTP; not with `portRange`, and not fast. */
  onePort?: boolean
  /** Of the way to a client; Ethernet's where absent, and at most that. */
  mtuTo?: (address: string) => number
  source: TftpSource
  maxTransfers?: number
  maxPerClient?: number
  /** False: by Node's sockets, also where files could go out by the window. */
  fast?: boolean
  /** How every request ended, refused ones too. */
  onOutcome: (outcome: Outcome) => void
  /** A datagram that is no TFTP, or a failure of ours; the server goes on. */
  onError: (error: Error) => void
}

export interface TftpServer {
  port: number
  /** Files over IPv4 go out by the window, from a thread of their own. */
  fast: boolean
  stop(): Promise<void>
}

export async function startTftpServer(options: TftpServerOptions): Promise<TftpServer> {
  const socket = createSocket(isIPv6(options.host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
  const wanted = options.fast !== false && !options.onePort && isIPv4(options.host)
  socket.bind(options.port ?? 69, options.host)
  await once(socket, 'listening')
  const fast = wanted ? startFastSender(options.onError) : undefined
  const serving = new Serving(socket, options, fast)
  socket.on('message', (bytes, from) => serving.receive(bytes, from))
  socket.on('error', (error) => options.onError(error))
  return { port: socket.address().port, fast: fast?.alive ?? false, stop: () => serving.stop() }
}

type Request = Extract<TftpPacket, { op: 'rrq' | 'wrq' }>

class Serving {
  readonly #socket: Socket
  readonly #options: TftpServerOptions
  readonly #ports: PortRange
  readonly #onePort: OnePort | undefined
  readonly #fast: FastSender | undefined
  /** By the client's address and port, which name its transfer: a request that comes again starts no second one. */
  readonly #transfers = new Map<string, Promise<void>>()
  readonly #perClient = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(socket: Socket, options: TftpServerOptions, fast: FastSender | undefined) {
    this.#fast = fast
    this.#socket = socket
    this.#options = options
    this.#ports = new PortRange(options.portRange)
    this.#onePort = options.onePort ? new OnePort(socket) : undefined
  }

  receive(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#onePort?.hear(bytes, from)) return
    try {
      const packet = decodePacket(bytes)
      if (packet.op !== 'rrq' && packet.op !== 'wrq') throw new WireError(`${packet.op} came to the request port`)
      this.#admit(packet, from)
    } catch (error) {
      if (error instanceof Error) this.#options.onError(error)
    }
  }

  async stop(): Promise<void> {
    this.#socket.removeAllListeners('message')
    this.#stopping.abort()
    await this.#fast?.stop()
    await Promise.all(this.#transfers.values())
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #admit(request: Request, from: RemoteInfo): void {
    const key = `${from.address}:${from.port}`
    if (this.#transfers.has(key)) return
    const { maxTransfers = 512, maxPerClient = 16 } = this.#options
    const ofClient = this.#perClient.get(from.address) ?? 0
    if (this.#transfers.size >= maxTransfers || ofClient >= maxPerClient)
      return this.#refuse(request, from, TftpError.undefined, 'too many transfers, try again')
    if (request.op === 'wrq') return this.#refuse(request, from, TftpError.accessViolation, 'this server is read-only')
    if (request.mode !== 'octet' && request.mode !== 'netascii')
      return this.#refuse(request, from, TftpError.illegalOperation, 'modes are octet and netascii')

    this.#perClient.set(from.address, ofClient + 1)
    const transfer = this.#serve(request, from)
      .catch((error: unknown) => {
        this.#options.onError(new Error(`${request.file} to ${key} failed`, { cause: error }))
      })
      .finally(() => {
        this.#transfers.delete(key)
        const left = (this.#perClient.get(from.address) ?? 1) - 1
        if (left > 0) this.#perClient.set(from.address, left)
        else this.#perClient.delete(from.address)
      })
    this.#transfers.set(key, transfer)
  }

  async #serve(request: Request, from: RemoteInfo): Promise<void> {
    const client = { address: from.address, port: from.port }
    const file = await this.#options.source(request.file, client)
    if (file === undefined) return this.#refuse(request, from, TftpError.notFound, 'file not found')
    try {
      const sent = request.mode === 'octet' ? file : await translated(file)
      if (sent === undefined)
        return this.#refuse(request, from, TftpError.undefined, 'too large for netascii, ask in octet mode')
      const name = request.file
      const mtu = this.#options.mtuTo?.(from.address) ?? ETHERNET_MTU
      const terms = negotiate(request.options, sent.size, blksizeFor(mtu, isIPv6(from.address) ? 6 : 4))
      this.#options.onOutcome(
        this.#fast?.alive && sent.content !== undefined
          ? await this.#sendFast(this.#fast, name, { ...sent, content: sent.content }, client, terms)
          : await sendFile({
              name,
              file: sent,
              client,
              terms,
              host: this.#options.host,
              ports: this.#ports,
              onePort: this.#onePort,
              now: () => performance.now(),
              signal: this.#stopping.signal,
            }),
      )
    } finally {
      await file.close?.()
    }
  }

  async #sendFast(
    fast: FastSender,
    file: string,
    { size, content }: Required<Pick<TftpFile, 'size' | 'content'>>,
    client: TftpClient,
    terms: Terms,
  ): Promise<Outcome> {
    const started = performance.now()
    const to = { address: ipv4FromText(client.address), port: client.port }
    const ports = this.#ports.inTurn()
    const ended = await fast.send({ content, size, terms, client: to, host: this.#options.host, ports })
    const { phase: result, acked, repeated, because } = ended
    const bytes = Math.min(acked * terms.blksize, size)
    return {
      result,
      file,
      client,
      bytes,
      size,
      milliseconds: Math.round(performance.now() - started),
      repeated,
      because,
    }
  }

  #refuse(request: Request, from: RemoteInfo, code: number, message: string): void {
    this.#socket.send(encodePacket({ op: 'error', code, message }), from.port, from.address, (error) => {
      if (error) this.#options.onError(error)
    })
    this.#options.onOutcome({
      result: code === TftpError.notFound ? 'not found' : 'refused',
      file: request.file,
      client: { address: from.address, port: from.port },
      bytes: 0,
      milliseconds: 0,
      repeated: 0,
      because: message,
    })
  }
}

async function translated(file: TftpFile): Promise<TftpFile | undefined> {
  return file.size > MAX_NETASCII ? undefined : fileOf(toNetascii(await file.read(0, file.size)))
}
