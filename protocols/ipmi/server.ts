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
  const bmc = createBmc(options)
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
  socket.on('message', (bytes, from) => {
    void bmc.receive(bytes).then((answer) => {
      // A console that has gone away in the meantime is no fault of the BMC.
      if (answer && open) socket.send(answer, from.port, from.address, () => undefined)
    })
  })
  return {
    host,
    port: socket.address().port,
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
