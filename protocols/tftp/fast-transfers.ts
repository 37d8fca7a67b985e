import { WireError } from '@bloomery/wire/error.ts'
import type { Endpoint } from '@bloomery/wire/ipv4-socket.ts'
import { Errno, failed, type Libc } from '@bloomery/wire/libc.ts'
import type { Engine, Place } from '@bloomery/wire/native-engine.ts'
import { Poller } from '@bloomery/wire/poller.ts'
import { takeShare } from '@bloomery/wire/processors.ts'
import { BlockSlice, type Content, type SliceOf } from './block-slice.ts'
import type { Terms } from './negotiate.ts'
import { decodePacket, encodePacket, TftpError, type TftpPacket } from './packet.ts'
import { begin, step, type Action, type Transfer, type TransferEvent } from './transfer.ts'
import { type TransferPort, TransferSockets } from './transfer-socket.ts'

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
  /** It was begun in another thread, and goes on here. */
  begun?: Begun
}

/** The kernel cuts windows into datagrams (`cut`), until it says that it can't on this way. */
export interface Begun {
  port: TransferPort
  state: Transfer
  cut: boolean
}

/** How one ended, or where it is to go on. */
export type FastEnd = { id: number } & (
  | { phase: 'moved'; to: number; begun: Begun }
  | {
      phase: 'complete' | 'probed' | 'aborted' | 'timeout' | 'failed'
      acked: number
      repeated: number
      because?: string
    }
)

interface Running extends Begun {
  order: FastOrder
  slice: BlockSlice
  of: SliceOf
  acks: number
  /** So many looks in a row found that its ACKs arrive elsewhere. */
  elsewhere: number
}

const MAX_SPARE = 64
/** Below this a header's worth of bytes is no gain. */
const LEAST_CUT = 512
const CANNOT_CUT = new Set<number>([Errno.EINVAL, Errno.EIO, Errno.EMSGSIZE])
const LONGEST_WAIT_MS = 100
/** So many at once are waited for awake. */
const FEW = 2
/** ACKs between two looks at where they arrive; two looks must agree. */
const LOOK_EVERY = 64
/** So many times more transfers may gather in one thread than in the one that they leave. */
const MOST_UNEVEN = 1.5

/** Transfers on sockets of their own, all waited for at once. The rules are those of `transfer.ts`; this only carries them out. */
export class FastTransfers implements Engine<FastOrder> {
  readonly #native: Libc
  readonly #sockets: TransferSockets
  readonly #poller: Poller
  readonly #running = new Set<Running>()
  /** By both of its descriptors. */
  readonly #byDescriptor = new Map<number, Running>()
  /** No timer is due before. */
  #nextDue = 0
  readonly #spare: BlockSlice[] = []
  readonly #ended: (end: FastEnd) => void
  readonly #place: Place
  /** The thread of each processor. */
  readonly #threads: readonly (number | undefined)[]

  constructor(
    native: Libc,
    bell: number,
    ended: (end: FastEnd) => void,
    place: Place,
    threads = takeShare(native, place.thread, place.busy.length),
  ) {
    this.#native = native
    this.#ended = ended
    this.#place = place
    this.#threads = threads
    this.#sockets = new TransferSockets(native)
    this.#poller = new Poller(native, bell)
  }

  get size(): number {
    return this.#running.size
  }

  begin(order: FastOrder): void {
    try {
      const { size, terms, content, begun } = order
      const port = begun?.port ?? this.#open(order)
      const [state, actions] = begun === undefined ? begin(size, terms, performance.now()) : [begun.state, []]
      const of = { content, size, blksize: terms.blksize, blocks: state.blocks }
      const slice = this.#spare.pop() ?? new BlockSlice(this.#native)
      const cut = begun?.cut ?? terms.blksize >= LEAST_CUT
      const running = { order, port, state, slice, of, cut, acks: 0, elsewhere: 0 }
      for (const fd of [port.client, port.others]) {
        this.#byDescriptor.set(fd, running)
        this.#poller.add(fd, 'readable')
      }
      this.#running.add(running)
      this.#nextDue = Math.min(this.#nextDue, state.due)
      this.#tellBusy()
      this.#perform(running, actions)
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error)
      this.#ended({ id: order.id, phase: 'failed', acked: 0, repeated: 0, because })
    }
  }

  run(): void {
    const ready = (fd: number): void => this.#hear(fd, this.#byDescriptor.get(fd))
    while (this.size > 0) if (this.#poller.wait(this.#overdue(), ready, this.size <= FEW)) return
  }

  cancel(id: number): void {
    for (const running of this.#running) if (running.order.id === id) this.#end(running, 'failed', 'it was cancelled')
  }

  stop(): void {
    for (const running of this.#running) this.#end(running, 'failed', 'the server stops')
    this.#poller.close()
  }

  #open({ host, ports, client }: FastOrder): TransferPort {
    for (const port of ports) {
      const opened = this.#sockets.open(host, port, client)
      if (opened !== undefined) return opened
    }
    throw new Error(`every TFTP transfer port from ${ports[0]} on is in use: widen tftp.portRange`)
  }

  /** Timers that are due ring; milliseconds until the next may be, rounded up. */
  #overdue(): number {
    const now = performance.now()
    if (now >= this.#nextDue) {
      this.#nextDue = now + LONGEST_WAIT_MS
      for (const running of this.#running) {
        if (running.state.due <= now) this.#on(running, { kind: 'timer' }, now)
        if (running.state.due < this.#nextDue) this.#nextDue = running.state.due
      }
    }
    return Math.max(1, Math.ceil(this.#nextDue - now))
  }

  #hear(fd: number, running: Running | undefined): void {
    if (running === undefined) return
    const { from, heard } = this.#sockets
    const length = this.#sockets.receive(fd)
    if (length < 0) return
    const { client } = running.order
    if (from.address !== client.address || from.port !== client.port) {
      // RFC 1350 §4: a stranger is told so, and the transfer goes on.
      const told: TftpPacket = { op: 'error', code: TftpError.unknownTransfer, message: 'unknown transfer ID' }
      this.#sockets.say(running.port.others, encodePacket(told), { ...from })
      return
    }
    const event = heardEvent(heard, length)
    if (event === undefined) return
    this.#on(running, event, performance.now())
    running.acks += 1
    if (running.acks % LOOK_EVERY === 0 && this.size > FEW) this.#look(running)
  }

  /**
   * A transfer is best sent by the processor where its ACKs arrive: waking another one, which then wakes the first, costs more than the
   * transfer itself. It goes there unless there is much more to do there than here: a card may have one queue only.
   */
  #look(running: Running): void {
    const { thread, busy } = this.#place
    const to = this.#threads[this.#sockets.incomingProcessor(running.port.client)] ?? thread
    running.elsewhere = to === thread ? 0 : running.elsewhere + 1
    if (running.elsewhere < 2 || (busy[to] ?? 0) > (busy[thread] ?? 0) * MOST_UNEVEN) return
    const { port, state, cut, order } = running
    if (!this.#release(running)) return
    this.#poller.remove(port.client)
    this.#poller.remove(port.others)
    this.#ended({ id: order.id, phase: 'moved', to, begun: { port, state, cut } })
  }

  #on(running: Running, event: TransferEvent, now: number): void {
    const [next, actions] = step(running.state, event, now)
    running.state = next
    if (next.due < this.#nextDue) this.#nextDue = next.due
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

  #agree({ port, order }: Running): number {
    return this.#sockets.say(port.client, encodePacket({ op: 'oack', options: order.terms.agreed }))
  }

  #data(running: Running, from: number, to: number): number | 'shorter' {
    const { slice, of, port } = running
    const piece = slice.hold(of, from, to)
    if (piece === undefined) return 'shorter'
    const stride = of.blksize + 4
    const errno = this.#sockets.blocks(port.client, slice.arena, piece, stride, running.cut)
    if (!running.cut || !CANNOT_CUT.has(errno)) return errno
    running.cut = false
    return this.#sockets.blocks(port.client, slice.arena, piece, stride, false)
  }

  #shorter(running: Running): void {
    const message = 'the file could not be read'
    this.#sockets.say(running.port.client, encodePacket({ op: 'error', code: 0, message }))
    this.#end(running, 'failed', 'it became shorter while it was sent')
  }

  /** Closing its sockets also takes them out of epoll's set. */
  #end(running: Running, phase: Exclude<FastEnd['phase'], 'moved'>, because?: string): void {
    if (!this.#release(running)) return
    this.#native.close(running.port.client)
    this.#native.close(running.port.others)
    const { acked, repeated } = running.state
    this.#ended({ id: running.order.id, phase, acked, repeated, because })
  }

  /** False where it was released before. */
  #release(running: Running): boolean {
    if (!this.#running.delete(running)) return false
    const { port, slice } = running
    this.#byDescriptor.delete(port.client)
    this.#byDescriptor.delete(port.others)
    slice.forget()
    if (this.#spare.length < MAX_SPARE) this.#spare.push(slice)
    this.#tellBusy()
    return true
  }

  #tellBusy(): void {
    Atomics.store(this.#place.busy, this.#place.thread, this.size)
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
