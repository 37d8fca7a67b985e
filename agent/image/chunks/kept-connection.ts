import { connect, type Socket } from 'node:net'
import { replyHead } from './reply-head.ts'

/** A connection to a site on which question follows question before the first is answered (RFC 9112 §9.3.2): what is asked for comes straight into
 * the memory where it is wanted, without a copy or an object per piece. No more than that: a reply that is anything but a head and
 * so many bytes ends it, and whoever asked asks again in another way. */
export interface KeptConnection {
  get(path: string, headers: Record<string, string>, into: Uint8Array): Promise<Answered>
}

export interface Answered {
  status: number
  /** Bytes that came into the memory. */
  length: number
}

export interface Endpoint {
  host: string
  port: number
  /** As the site is named to itself: an address of IPv6 stands in brackets there. */
  authority: string
  /** Without a byte for this long, the connection is given up. */
  seconds: number
}

interface Asked {
  into: Uint8Array
  resolve(answered: Answered): void
  reject(error: Error): void
}

const LARGEST_HEAD = 16 * 1024

export function keepConnection({ host, port, authority, seconds }: Endpoint): KeptConnection {
  let open: { socket: Socket; asked: Asked[] } | undefined

  function dial(): NonNullable<typeof open> {
    const asked: Asked[] = []
    const replies = readReplies(asked)
    const onread = {
      buffer: replies.memory,
      callback: (length: number, memory: Uint8Array): boolean => {
        try {
          replies.take(memory.subarray(0, length))
        } catch (error) {
          socket.destroy(error as Error)
        }
        return true
      },
    }
    const socket = connect({ host, port, noDelay: true, onread })
    const dialled = { socket, asked }
    let because = new Error('the connection was closed')
    socket.setTimeout(seconds * 1000, () => socket.destroy(new Error(`no byte for ${seconds} s`)))
    socket.on('error', (error) => (because = error))
    socket.on('close', () => {
      if (open === dialled) open = undefined
      for (const { reject } of asked.splice(0)) reject(because)
    })
    return dialled
  }

  return {
    get: (path, headers, into) =>
      new Promise((resolve, reject) => {
        if (open === undefined || !open.socket.writable) open = dial()
        open.asked.push({ into, resolve, reject })
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
        open.socket.write(`GET ${path} HTTP/1.1\r\nhost: ${authority}\r\n${lines.join('')}\r\n`)
      }),
  }
}

/** Takes the replies apart: their bodies come where they are wanted, what lies between comes into a small memory and is copied from there. */
function readReplies(asked: Asked[]) {
  const between = new Uint8Array(LARGEST_HEAD)
  let head = ''
  let body: { status: number; length: number; here: number } | undefined

  function arrived(bytes: number): void {
    body!.here += bytes
    if (body!.here < body!.length) return
    const { status, length } = body!
    body = undefined
    asked.shift()!.resolve({ status, length })
  }

  return {
    memory: (): Uint8Array => (body ? asked[0]!.into.subarray(body.here, body.length) : between),
    take(bytes: Uint8Array): void {
      if (bytes.buffer !== between.buffer) return arrived(bytes.length)
      for (let at = 0; at < bytes.length;) {
        if (body) {
          const part = bytes.subarray(at, at + body.length - body.here)
          asked[0]!.into.set(part, body.here)
          at += part.length
          arrived(part.length)
          continue
        }
        if (asked.length === 0) throw new Error('the site said what it was not asked')
        const seen = head.length
        head += Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at).toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0 && head.length > LARGEST_HEAD) throw new Error('a reply with too long a head')
        if (end < 0) return
        body = { ...replyHead(head.slice(0, end), asked[0]!.into.length), here: 0 }
        at += end + 4 - seen
        head = ''
        arrived(0)
      }
    },
  }
}
