import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A self-signed certificate for an address, as BMCs have them from the factory. A negative number of days: it has expired. */
export function selfSigned(days: number, address = '127.0.0.1'): { key: string; cert: string } {
  const dir = mkdtempSync(join(tmpdir(), 'redfish-'))
  try {
    const [key, request, cert] = ['key.pem', 'request.pem', 'cert.pem'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ]
    const openssl = (...argv: string[]): unknown => execFileSync('openssl', argv, { stdio: 'pipe' })
    const name = ['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`]
    const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
    openssl('req', '-new', ...algorithm, ...name, '-keyout', key, '-out', request)
    openssl(
      'x509',
      '-req',
      '-in',
      request,
      '-signkey',
      key,
      '-copy_extensions',
      'copy',
      '-days',
      `${days}`,
      '-out',
      cert,
    )
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(dir, { recursive: true })
  }
}
