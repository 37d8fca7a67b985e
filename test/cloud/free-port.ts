import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that Linux gives to whoever asks for any (ip_local_port_range): nobody is given one of these meanwhile. */
const [FIRST, LAST] = [20_000, 32_000]
const TRIES = 100

/** For programs that can't be told to bind port 0 and say which they got, or that are to have the same again. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) return port
  }
  throw new Error(`${TRIES} ports between ${FIRST} and ${LAST} were taken`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const bound = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen(port, '0.0.0.0')
  if (!(await bound)) return false
  server.close()
  await once(server, 'close')
  return true
}
