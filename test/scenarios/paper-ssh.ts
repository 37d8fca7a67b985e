import { generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

/** A BMC's SSH whose shell is the machine's serial port, in this process. */
export interface PaperSsh {
  port: number
  /** How many have the port open now. */
  open(): number
  print(text: string): void
  typed: string
  close(): Promise<void>
}

export async function paperSsh(user: { name: string; password: string }): Promise<PaperSsh> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const hostKeys = [privateKey.export({ type: 'pkcs1', format: 'pem' })]
  const clients = new Set<Connection>()
  const channels = new Set<ServerChannel>()
  const paper: PaperSsh = {
    port: 0,
    open: () => channels.size,
    print: (text) => {
      for (const channel of channels) channel.write(text)
    },
    typed: '',
    async close() {
      for (const client of clients) client.end()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
  const server = new ssh2.Server({ hostKeys }, (client) => {
    clients.add(client)
    client.on('close', () => void clients.delete(client))
    client.on('error', () => {})
    client.on('authentication', (tried) => {
      const isRight = tried.method === 'password' && tried.username === user.name && tried.password === user.password
      if (isRight) tried.accept()
      else tried.reject(['password'])
    })
    client.on('session', (accept) => {
      const session = accept()
      session.on('pty', (allow) => allow?.())
      session.on('shell', (allow) => {
        const channel = allow()
        channels.add(channel)
        channel.on('data', (bytes: Buffer) => (paper.typed += bytes.toString()))
        channel.on('close', () => void channels.delete(channel))
      })
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  paper.port = (server.address() as AddressInfo).port
  return paper
}
