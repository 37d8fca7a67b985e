import { createSocket, type Socket } from 'node:dgram'
import { ipv4FromText } from './address.ts'
import { closed, type Ipv4SocketOptions } from './ipv4-socket.ts'
import { failed, type Libc } from './libc.ts'

/** Woken again sooner than this, we look by the clock instead. */
const OFTEN_MS = 1
const LOOK_MS = 1
/** So many looks in a row that find nothing, and we wait to be woken again. */
const LOOKS_IN_VAIN = 8

/**
 * Says when datagrams wait at a socket: as soon as one comes while few do, and once a millisecond while many do, as network cards and
 * their drivers moderate interrupts. To be woken for each costs more than all that is done with it. Waking is Node's, by a duplicate
 * of the descriptor; the datagram that wakes us comes by way of Node.
 */
export class DatagramWatch {
  readonly #native: Libc
  readonly #fd: number
  readonly #options: Pick<Ipv4SocketOptions, 'onMessage' | 'onError'>
  readonly #take: () => boolean
  #socket: Socket | undefined
  #look: NodeJS.Timeout | undefined
  #inVain = 0
  #wokenAt = 0
  #stopped = false

  /** `take` hands on what waits, or much of it, and says whether that was anything. */
  constructor(
    native: Libc,
    fd: number,
    options: Pick<Ipv4SocketOptions, 'onMessage' | 'onError'>,
    take: () => boolean,
  ) {
    this.#native = native
    this.#fd = fd
    this.#options = options
    this.#take = take
  }

  /** The port that the socket is bound to. */
  start(): number {
    return this.#wait().address().port
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#look)
    const socket = this.#socket
    this.#socket = undefined
    if (socket !== undefined) await closed(socket)
  }

  #wait(): Socket {
    const { onMessage, onError } = this.#options
    const fd = this.#native.dup(this.#fd)
    if (fd < 0) throw failed('dup', this.#native.errno())
    const socket = createSocket({ type: 'udp4' })
    socket.on('error', (error) => onError(error))
    socket.on('message', (bytes, from) => {
      if (this.#socket !== socket) return
      onMessage(bytes, { address: ipv4FromText(from.address), port: from.port })
      this.#take()
      const now = performance.now()
      if (now - this.#wokenAt < OFTEN_MS) this.#lookByTheClock(socket)
      this.#wokenAt = now
    })
    socket.bind({ fd }) // and from here on it is the socket that closes the descriptor
    this.#socket = socket
    return socket
  }

  #lookByTheClock(socket: Socket): void {
    if (this.#stopped) return // by a message
    socket.close()
    this.#socket = undefined
    this.#inVain = 0
    this.#look = setTimeout(() => this.#lookOnce(), LOOK_MS)
  }

  #lookOnce(): void {
    this.#inVain = this.#take() ? 0 : this.#inVain + 1
    if (this.#stopped) return
    if (this.#inVain < LOOKS_IN_VAIN || !this.#waits()) this.#look?.refresh()
  }

  #waits(): boolean {
    try {
      this.#wait()
      return true
    } catch (cause) {
      this.#inVain = 0
      this.#options.onError(new Error('datagrams are looked for by the clock: Node does not watch', { cause }))
      return false
    }
  }
}
