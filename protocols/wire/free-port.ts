import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that Linux gives to whoever asks for any (ip_local_port_range): nobody is given one of these meanwhile. */
const [FIRST, LAST] = [20_000, 32_000]
const TRIES = 100

/** For tests with programs that can't be told to bind port 0 and say which they got, or that are to have the same again. */
export async function freePort(protocol: 'tcp' | 'udp' = 'tcp'): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST)
    if (await isFree[protocol](port)) return port
  }
  throw new Error(`${TRIES} ports between ${FIRST} and ${LAST} were taken`)
}

const isFree = {
  async tcp(port: number): Promise<boolean> {
    const server = createServer()
    const bound = succeeds(once(server, 'listening'))
    server.listen(port, '0.0.0.0')
    if (!(await bound)) return false
    server.close()
    await once(server, 'close')
    return true
  },
  async udp(port: number): Promise<boolean> {
    const socket = createSocket('udp4')
    const bound = succeeds(once(socket, 'listening'))
    socket.bind(port)
    const isBound = await bound
    const closed = once(socket, 'close')
    socket.close()
    await closed
    return isBound
  },
}

const succeeds = (event: Promise<unknown>): Promise<boolean> =>
  event.then(
    () => true,
    () => false,
  )
