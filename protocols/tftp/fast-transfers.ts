import { WireError } from '@bloomery/wire/error.ts'
import type { Endpoint } from '@bloomery/wire/ipv4-socket.ts'
import { Errno, failed, type Libc } from '@bloomery/wire/libc.ts'
import type { Engine } from '@bloomery/wire/native-engine.ts'
import { Poller } from '@bloomery/wire/poller.ts'
import { BlockSlice, type Content, type SliceOf } from './block-slice.ts'
import type { Terms } from './negotiate.ts'
import { decodePacket, encodePacket, TftpError, type TftpPacket } from './packet.ts'
import { begin, step, type Action, type Transfer, type TransferEvent } from './transfer.ts'
import { TransferSockets } from './transfer-socket.ts'

/** A transfer as it is handed to the thread that sends. */
export interface FastOrder {
  id: number
  content: Content
  size: number
  terms: Terms
  client: Endpoint
  host: string
  /** In the order in which they are to be tried; [0] is any. */
  ports: number[]
}

/** How one ended. */
export interface FastEnd {
  id: number
  phase: 'complete' | 'probed' | 'aborted' | 'timeout' | 'failed'
  acked: number
  repeated: number
  because?: string
}

interface Running {
  order: FastOrder
  fd: number
  state: Transfer
  slice: BlockSlice
  of: SliceOf
  /** The kernel cuts windows into datagrams, until it says that it can't on this way. */
  cut: boolean
}

const MAX_SPARE = 64
/** Below this a header's worth of bytes is no gain. */
const LEAST_CUT = 512
const CANNOT_CUT = new Set<number>([Errno.EINVAL, Errno.EIO, Errno.EMSGSIZE])
const LONGEST_WAIT_MS = 100

/** Transfers on sockets of their own, all waited for at once. The rules are those of `transfer.ts`; this only carries them out. */
export class FastTransfers implements Engine<FastOrder> {
  readonly #native: Libc
  readonly #sockets: TransferSockets
  readonly #poller: Poller
  readonly #running = new Map<number, Running>()
  readonly #spare: BlockSlice[] = []
  readonly #ended: (end: FastEnd) => void

  constructor(native: Libc, bell: number, ended: (end: FastEnd) => void) {
    this.#native = native
    this.#ended = ended
    this.#sockets = new TransferSockets(native)
    this.#poller = new Poller(native, bell)
  }

  get size(): number {
    return this.#running.size
  }

  begin(order: FastOrder): void {
    try {
      const fd = this.#bind(order)
      const { size, terms, content } = order
      const [state, actions] = begin(size, terms, performance.now())
      const of = { content, size, blksize: terms.blksize, blocks: state.blocks }
      const slice = this.#spare.pop() ?? new BlockSlice(this.#native)
      const running = { order, fd, state, slice, of, cut: terms.blksize >= LEAST_CUT }
      this.#running.set(fd, running)
      this.#poller.add(fd, 'readable')
      this.#perform(running, actions)
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error)
      this.#ended({ id: order.id, phase: 'failed', acked: 0, repeated: 0, because })
    }
  }

  run(): void {
    while (this.#running.size > 0)
      if (this.#poller.wait(this.#overdue(), (fd) => this.#hear(this.#running.get(fd)))) return
  }

  cancel(id: number): void {
    for (const running of this.#running.values())
      if (running.order.id === id) this.#end(running, 'failed', 'it was cancelled')
  }

  stop(): void {
    for (const running of this.#running.values()) this.#end(running, 'failed', 'the server stops')
    this.#poller.close()
  }

  #bind({ host, ports }: FastOrder): number {
    for (const port of ports) {
      const fd = this.#sockets.open(host, port)
      if (fd >= 0) return fd
      if (fd !== -Errno.EADDRINUSE) throw failed(`bind ${host}:${port}`, -fd)
    }
    throw new Error(`every TFTP transfer port from ${ports[0]} on is in use: widen tftp.portRange`)
  }

  /** Timers that are due ring; milliseconds until the next, rounded up. */
  #overdue(): number {
    const now = performance.now()
    let next = now + LONGEST_WAIT_MS
    for (const running of this.#running.values()) {
      if (running.state.due <= now) this.#on(running, { kind: 'timer' }, now)
      if (running.state.due < next) next = running.state.due
    }
    return Math.max(1, Math.ceil(next - now))
  }

  #hear(running: Running | undefined): void {
    if (running === undefined) return
    const { from, heard } = this.#sockets
    const length = this.#sockets.receive(running.fd)
    if (length < 0) return
    const { client } = running.order
    if (from.address !== client.address || from.port !== client.port) {
      // RFC 1350 §4: a stranger is told so, and the transfer goes on.
      const told: TftpPacket = { op: 'error', code: TftpError.unknownTransfer, message: 'unknown transfer ID' }
      this.#sockets.say(running.fd, encodePacket(told), { ...from })
      return
    }
    const event = heardEvent(heard, length)
    if (event !== undefined) this.#on(running, event, performance.now())
  }

  #on(running: Running, event: TransferEvent, now: number): void {
    const [next, actions] = step(running.state, event, now)
    running.state = next
    if (next.phase === 'oack' || next.phase === 'data') this.#perform(running, actions)
    else this.#end(running, next.phase, next.because)
  }

  #perform(running: Running, actions: Action[]): void {
    for (const action of actions) {
      const errno = action.send === 'oack' ? this.#agree(running) : this.#data(running, action.from, action.to)
      if (errno === 'shorter') return this.#shorter(running)
      if (errno !== 0) return this.#end(running, 'failed', `sending failed: ${failed('sendmsg', errno).message}`)
    }
  }

  #agree({ fd, order }: Running): number {
    return this.#sockets.say(fd, encodePacket({ op: 'oack', options: order.terms.agreed }), order.client)
  }

  #data(running: Running, from: number, to: number): number | 'shorter' {
    const { slice, of, fd, order } = running
    const piece = slice.hold(of, from, to)
    if (piece === undefined) return 'shorter'
    const stride = of.blksize + 4
    const errno = this.#sockets.blocks(fd, slice.arena, piece, stride, order.client, running.cut)
    if (!running.cut || !CANNOT_CUT.has(errno)) return errno
    running.cut = false
    return this.#sockets.blocks(fd, slice.arena, piece, stride, order.client, false)
  }

  #shorter(running: Running): void {
    const message = 'the file could not be read'
    this.#sockets.say(running.fd, encodePacket({ op: 'error', code: 0, message }), running.order.client)
    this.#end(running, 'failed', 'it became shorter while it was sent')
  }

  /** Closing a socket also takes it out of epoll's set. */
  #end(running: Running, phase: FastEnd['phase'], because?: string): void {
    if (!this.#running.delete(running.fd)) return
    this.#native.close(running.fd)
    running.slice.forget()
    if (this.#spare.length < MAX_SPARE) this.#spare.push(running.slice)
    const { acked, repeated } = running.state
    this.#ended({ id: running.order.id, phase, acked, repeated, because })
  }
}

/** ACKs are nearly all that comes, so they are read where they lie. */
function heardEvent(heard: Uint8Array, length: number): TransferEvent | undefined {
  if (length >= 4 && heard[0] === 0 && heard[1] === 4)
    return { kind: 'ack', block: ((heard[2] ?? 0) << 8) | (heard[3] ?? 0) }
  try {
    const packet = decodePacket(heard.slice(0, length))
    return packet.op === 'error' ? { kind: 'error', code: packet.code, message: packet.message } : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
