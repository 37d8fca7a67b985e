import { startRedfish } from '../server.ts'
import { selfSigned } from './certificate.ts'
import { paperMachine } from './paper-machine.ts'

/** A paper machine behind TLS as a process of its own, for measuring: tells its address, ends with its standard input. */
const server = await startRedfish({
  host: '127.0.0.1',
  port: 0,
  users: [{ name: 'admin', password: 'paper-secret' }],
  machine: paperMachine(),
  tls: selfSigned(1),
  onError: (error) => {
    throw error
  },
})
process.stdout.write(`${server.url}\n`)
process.stdin.resume().on('end', () => void server.close())
