import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { createBmc } from './bmc.ts'
import type { BmcOptions } from './bmc-options.ts'

export interface StartBmcOptions extends BmcOptions {
  host: string
  /** 0: any free one; see the result. */
  port: number
}

export interface RunningBmc {
  readonly host: string
  readonly port: number
  sessions(): { pending: number; active: number }
  dropped(): number
  close(): Promise<void>
}

/** A BMC on a UDP socket of its own. */
export async function startBmc(options: StartBmcOptions): Promise<RunningBmc> {
  const { host, onError } = options
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  let open = true
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(options.port, host, () => {
      socket.off('error', reject)
      resolve()
    })
  })
  socket.on('error', onError)
  const { port } = socket.address()
  const bmc = createBmc({ ...options, udpPort: port })
  socket.on('message', (bytes, from) => {
    // A console that has gone away in the meantime is no fault of the BMC.
    const send = (answer: Uint8Array): void => {
      if (open) socket.send(answer, from.port, from.address, () => undefined)
    }
    void bmc.receive(bytes, send).then((answer) => answer && send(answer))
  })
  return {
    host,
    port,
    sessions: bmc.sessions,
    dropped: bmc.dropped,
    close: () =>
      new Promise<void>((resolve) => {
        open = false
        bmc.stop()
        socket.close(() => resolve())
      }),
  }
}
