import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { WireError } from '@bloomery/wire/error.ts'
import { decodePacket, encodePacket, TftpError, type TftpPacket } from './packet.ts'
import { receive, request, waited, type Reaction, type Receiver } from './receiver.ts'

export interface FetchOptions {
  host: string
  port?: number
  file: string
  blksize?: number
  windowsize?: number
  /** Silence after which the last word is said again. */
  timeoutMs?: number
  maxBytes?: number
  /** The local address, where the server must see one in particular. */
  localAddress?: string
}

/** The whole file. It gives up when six timeouts pass in a row, or when the file is larger than `maxBytes`. */
export function fetchFile(options: FetchOptions): Promise<Uint8Array> {
  const { host, port = 69, file, timeoutMs = 1_000, maxBytes = 64 * 1_048_576 } = options
  const asked = { blksize: options.blksize ?? 1_428, windowsize: options.windowsize ?? 4 }
  const wanted = new Map([
    ['tsize', '0'],
    ['blksize', String(asked.blksize)],
    ['windowsize', String(asked.windowsize)],
  ])
  const opening = encodePacket({ op: 'rrq', file, mode: 'octet', options: wanted })
  const socket = createSocket(isIPv6(host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
  const pieces: Uint8Array[] = []
  let length = 0
  let serverPort: number | undefined // the server's transfer ID: whoever answers first
  let state: Receiver = request(asked)
  let timer: NodeJS.Timeout | undefined

  return new Promise((resolve, reject) => {
    /** The socket stays a while to acknowledge the last block again, should that ACK get lost: RFC 1350 §6. */
    const end = (why?: string): void => {
      clearTimeout(timer)
      setTimeout(() => socket.close(), timeoutMs).unref()
      socket.unref()
      if (why === undefined) resolve(Buffer.concat(pieces))
      else reject(new Error(`TFTP of ${file} from ${host}: ${why}`))
    }
    const send = (bytes: Uint8Array, to = serverPort ?? port): void => socket.send(bytes, to, host, () => {})
    const react = (reaction: Reaction): void => {
      if ('ack' in reaction) send(encodePacket({ op: 'ack', block: reaction.ack }))
      else if ('again' in reaction) send(opening)
      else {
        pieces.push(reaction.data)
        length += reaction.data.length
      }
    }
    const enter = ([next, reactions]: [Receiver, Reaction[]]): void => {
      if (state.phase === 'failed') return
      state = next
      for (const reaction of reactions) react(reaction)
      if (length > maxBytes || (next.size ?? 0) > maxBytes) {
        send(encodePacket({ op: 'error', code: TftpError.undefined, message: 'file is too large' }))
        state = { ...next, phase: 'failed' }
        return end(`it is larger than ${maxBytes} bytes`)
      }
      if (next.phase === 'failed') return end(next.because)
      if (next.phase === 'complete') return end()
      if (reactions.length === 0) return
      clearTimeout(timer)
      timer = setTimeout(() => enter(waited(state)), timeoutMs)
    }
    socket.on('error', (error) => enter([{ ...state, phase: 'failed', because: error.message }, []]))
    socket.on('message', (bytes, from) => {
      if (from.address !== host || from.port !== (serverPort ?? from.port)) return
      const packet = decoded(bytes)
      if (packet === undefined) return
      serverPort = from.port
      if (state.phase !== 'complete') enter(receive(state, packet))
      else if (packet.op === 'data') react({ ack: state.received & 0xffff })
    })
    socket.bind(0, options.localAddress ?? (isIPv6(host) ? '::' : '0.0.0.0'), () => enter([state, [{ again: true }]]))
  })
}

function decoded(bytes: Uint8Array): TftpPacket | undefined {
  try {
    return decodePacket(bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
