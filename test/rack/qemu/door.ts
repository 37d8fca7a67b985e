import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Netns } from './network.ts'
import { ready, spawnIn } from './netns.ts'

export type Door = { host: string; port: number; close(): Promise<void> }

let doors = 0

/** Makes a TCP port inside a namespace reachable on a free loopback port of this process's own namespace. */
export async function openDoor(netns: Netns, host: string, port: number): Promise<Door> {
  doors += 1
  const socketPath = join(tmpdir(), `${netns}-door${doors}.sock`) // short: sun_path holds 107 bytes
  const relay = [process.execPath, join(import.meta.dirname, 'relay.ts'), socketPath, host, String(port)]
  const child = spawnIn(netns, relay, { stdio: ['ignore', 'pipe', 'inherit'] })
  await ready(child, `the door into ${netns}`)
  child.unref()

  const server = createServer((outside) => {
    const inside = connect(socketPath)
    const drop = () => {
      inside.destroy()
      outside.destroy()
    }
    inside.on('error', drop)
    outside.on('error', drop)
    outside.pipe(inside).pipe(outside)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`the door into ${netns} has no port`)
  return {
    host: '127.0.0.1',
    port: address.port,
    async close() {
      server.close()
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}
