import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedfish } from '../server.ts'
import { paperMachine } from './paper-machine.ts'

/** A paper machine behind TLS as a process of its own, for measuring: tells its address, ends with its standard input. */
const dir = mkdtempSync(join(tmpdir(), 'redfish-'))
const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
const request = [
  'req',
  '-x509',
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:prime256v1',
  '-noenc',
  '-subj',
  '/CN=paper',
]
execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' })
const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
rmSync(dir, { recursive: true })

const server = await startRedfish({
  host: '127.0.0.1',
  port: 0,
  users: [{ name: 'admin', password: 'paper-secret' }],
  machine: paperMachine(),
  tls,
  onError: (error) => {
    throw error
  },
})
process.stdout.write(`${server.url}\n`)
process.stdin.resume().on('end', () => void server.close())
