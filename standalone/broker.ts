import { Duplex } from 'node:stream'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { Aedes, type Client, type PublishPacket, type Subscription } from 'aedes'
import { MESSAGE_LIMIT } from '../contract/messages.ts'
import { topics } from '../contract/topics.ts'
import type { Bus, Log } from '../lambdas/platform.ts'
import type { Membership } from './membership.ts'
import { packetGuard } from './packet-guard.ts'

/** Topic and packet identifier come on top of the payload. */
const PACKET_LIMIT = MESSAGE_LIMIT + 1024
const CONNECTIONS_LIMIT = 10_000
const KEEPALIVE_LIMIT_SECONDS = 300
const HANDSHAKE_MS = 10_000

export interface BrokerOptions {
  key: string
  cert: string
  /** PEM of the root that appliances' certificates are issued by. */
  authority: string
  membership: Membership
  /** An appliance published to its `up` topic. Its acknowledgement waits for this. */
  onUp: (appliance: string, payload: string) => Promise<void>
  log: Log
}

/** MQTT 3.1.1 over TLS for appliances, each by its certificate: it may publish to its own `up` and hear its own `down`. */
export class Broker implements Bus {
  readonly #mqtt: Aedes
  readonly #server: Server
  readonly #options: BrokerOptions
  /** With each one's certificate. A closed socket no longer tells. */
  readonly #sockets = new Map<TLSSocket, Holder>()

  static async create(options: BrokerOptions): Promise<Broker> {
    const mqtt = await Aedes.createBroker({
      keepaliveLimit: KEEPALIVE_LIMIT_SECONDS,
      connectTimeout: HANDSHAKE_MS,
      queueLimit: 100,
    })
    return new Broker(options, mqtt)
  }

  constructor(options: BrokerOptions, mqtt: Aedes) {
    this.#options = options
    this.#mqtt = mqtt
    this.#wire()
    this.#server = createServer(
      {
        key: options.key,
        cert: options.cert,
        ca: options.authority,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_MS,
      },
      (socket) => this.#accept(socket),
    )
    this.#server.maxConnections = CONNECTIONS_LIMIT
    this.#server.on('tlsClientError', (error, socket) =>
      options.log.warn({ from: socket.remoteAddress, error: error.message }, 'TLS refused'),
    )
    options.membership.onRevoked((appliance, keep) => this.#expel(appliance, keep))
  }

  /** Resolves with the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#options.log.error({ error: error.message }, 'broker failed'))
        resolve((this.#server.address() as { port: number }).port)
      })
    })
  }

  publish(topic: string, payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const
      this.#mqtt.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await new Promise<void>((resolve) => this.#mqtt.close(resolve))
    for (const socket of this.#sockets.keys()) socket.destroy()
    await closed
  }

  #accept(socket: TLSSocket): void {
    // Small packets that answer each other: with Nagle's algorithm each waits 40 ms for the other side's delayed ACK (RFC 1122 §4.2.3.4).
    socket.setNoDelay(true)
    const holder = holderOf(socket)
    const { name } = holder
    this.#sockets.set(socket, holder)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', (error) =>
      this.#options.log.warn({ appliance: name, error: error.message }, 'connection failed'),
    )
    const readable = socket.pipe(packetGuard(PACKET_LIMIT))
    readable.on('error', (error) => {
      this.#options.log.warn({ appliance: name, error: error.message }, 'connection ended')
      socket.destroy()
    })
    const stream = Duplex.from({ readable, writable: socket })
    stream.on('close', () => socket.destroy())
    socket.once('close', () => stream.destroy())
    sockets.set(stream, socket)
    this.#mqtt.handle(stream)
  }

  #wire(): void {
    const { membership, log } = this.#options
    this.#mqtt.preConnect = (_client, packet, done) => {
      // Nothing is kept for the absent: on its next `alive` an appliance is told all that it lacks.
      packet.clean = true
      done(null, true)
    }
    this.#mqtt.authenticate = (client, _username, _password, done) => {
      const socket = socketOf(client)
      const { name, print = '' } = (socket && this.#sockets.get(socket)) ?? {}
      const admitted = name === client.id ? membership.admits(client.id, print) : Promise.resolve(false)
      admitted.then(
        (yes) => {
          if (!yes) log.warn({ appliance: client.id, certificate: print }, 'connection refused: unknown or revoked')
          done(null, yes)
        },
        (error: Error) => done(Object.assign(error, { returnCode: SERVER_UNAVAILABLE }), false),
      )
    }
    this.#mqtt.authorizeSubscribe = (client, subscription: Subscription, done) => {
      const allowed = subscription.topic === topics.down(client.id)
      if (!allowed) log.warn({ appliance: client.id, topic: subscription.topic }, 'subscription refused')
      done(null, allowed ? subscription : null)
    }
    this.#mqtt.authorizePublish = (client, packet, done) => {
      // The broker's own, through `publish`.
      if (!client) return done()
      this.#up(client, packet).then(() => done(), done)
    }
  }

  async #up(client: Client, packet: PublishPacket): Promise<void> {
    if (packet.topic !== topics.up(client.id) || packet.retain)
      throw new Error(`${client.id} may not publish to ${packet.topic}`)
    const payload = Buffer.from(packet.payload)
    if (payload.length > MESSAGE_LIMIT) throw new Error(`${client.id} published ${payload.length} bytes`)
    await this.#options.onUp(client.id, payload.toString())
  }

  #expel(appliance: string, keep: string | undefined): void {
    for (const [socket, { name, print }] of this.#sockets) if (name === appliance && print !== keep) socket.destroy()
  }
}

/** MQTT 3.1.1 §3.2.2.3 */
const SERVER_UNAVAILABLE = 3

const sockets = new WeakMap<object, TLSSocket>()

function socketOf(client: Client): TLSSocket | undefined {
  return sockets.get(client.conn)
}

/** Whose a certificate is: by its common name, the appliance's uuid; and which. */
interface Holder {
  name: string | undefined
  print: string | undefined
}

function holderOf(socket: TLSSocket): Holder {
  const name = socket.getPeerCertificate().subject?.CN
  const print = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()
  return { name: typeof name === 'string' ? name : undefined, print }
}
