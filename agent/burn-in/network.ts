import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { CommandFailure } from '../failure.ts'
import { noise } from './noise.ts'

/** Two machines send each other noise that both can compute, first the writer and then the reader. TCP's checksums are 16 bits: what a bad
 * card or cable lets through is seen here. */

const PORT = 9998
/** The partner may still be on its way up. */
const PATIENCE_MS = 1_800_000
const RETRY_MS = 2000
const SILENCE_MS = 60_000
const CHUNK = 256 * 1024

export interface NetworkBurnIn {
  role: 'writer' | 'reader'
  partner: string
  seconds: number
  port?: number
}

export async function burnNetwork(
  { role, partner, seconds, port = PORT }: NetworkBurnIn,
  clock: Clock,
): Promise<string> {
  const socket = role === 'writer' ? await reach(partner, port, clock) : await awaitPartner(port)
  socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)))
  try {
    const half = seconds * 500
    if (role === 'writer') await send(socket, clock.now() + half, clock)
    const received = await receive(socket)
    if (role === 'reader') await send(socket, clock.now() + half, clock)
    return `${received} bytes came from ${partner} as they were sent`
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause
    throw failed(`the connection with ${partner} broke: ${(cause as Error).message}`)
  } finally {
    socket.destroy()
  }
}

async function reach(host: string, port: number, clock: Clock): Promise<Socket> {
  const until = clock.now() + PATIENCE_MS
  for (;;) {
    const socket = connect({ host, port, allowHalfOpen: true })
    try {
      await once(socket, 'connect')
      return socket
    } catch (cause) {
      socket.destroy()
      if (clock.now() >= until)
        throw failed(`${host} could not be reached on port ${port}: ${(cause as Error).message}`)
      await clock.sleep(RETRY_MS)
    }
  }
}

async function awaitPartner(port: number): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(port)
  try {
    const [socket] = (await once(server, 'connection', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Socket]
    return socket
  } catch {
    throw failed(`nobody called on port ${port} within ${PATIENCE_MS / 1000} s`)
  } finally {
    server.close()
  }
}

async function send(socket: Socket, until: number, clock: Clock): Promise<void> {
  const bytes = noise(1)
  do {
    if (!socket.write(bytes(CHUNK))) await once(socket, 'drain')
  } while (clock.now() < until)
  socket.end()
}

async function receive(socket: Socket): Promise<number> {
  const bytes = noise(1)
  let total = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (!chunk.equals(bytes(chunk.length)))
      throw failed(`other bytes came than were sent, within ${chunk.length} of byte ${total}`)
    total += chunk.length
  }
  if (total === 0) throw failed('the partner closed the connection without sending anything')
  return total
}

function failed(why: string): CommandFailure {
  return new CommandFailure('BurnInError', `burn-in of the network failed: ${why}`)
}
