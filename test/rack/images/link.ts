import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Link {
  port: number
  /** Connections so far. */
  readonly connections: number
  close(): Promise<void>
}

/** What becomes of a connection's bytes on their way to the agent. */
export interface Fate {
  /** After so many bytes it is broken, or nothing comes any more. */
  after: number
  ends: 'broken' | 'silent'
}

/** The way from agents to a site, for each connection with a fate of its own; all of them together as fast as is said. */
export async function openLink(
  to: number,
  fateOf: (nth: number) => Fate | undefined,
  bytesPerSecond = Infinity,
): Promise<Link> {
  let connections = 0
  /** When what was let through has all passed. */
  let free = 0
  const open = new Set<Socket>()
  const server = createServer((agent) => {
    connections += 1
    const fate = fateOf(connections)
    const site = connect(to, '127.0.0.1')
    for (const each of [agent, site]) {
      open.add(each)
      each
        .on('error', () => {})
        .on('close', () => {
          open.delete(each)
          agent.destroy()
          site.destroy()
        })
    }
    agent.pipe(site)
    let passed = 0
    site.on('data', (bytes) => {
      const room = Math.max(0, (fate?.after ?? Infinity) - passed)
      passed += bytes.length
      const isLast = bytes.length >= room
      free = Math.max(free, performance.now()) + (bytes.length * 1000) / bytesPerSecond
      const ahead = free - performance.now()
      if (ahead > 5) {
        site.pause()
        setTimeout(() => site.resume(), ahead)
      }
      if (room > 0) agent.write(bytes.subarray(0, room), () => isLast && fate?.ends === 'broken' && agent.destroy())
      else if (fate?.ends === 'broken') agent.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    async close() {
      for (const each of open) each.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
