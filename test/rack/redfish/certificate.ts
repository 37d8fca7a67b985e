import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A self-signed certificate for an address, as BMCs have them from the factory. `ca` is the file to trust it by. */
export async function selfSigned(
  dir: string,
  address: string,
  days = 2,
): Promise<{ key: string; certificate: string; ca: string }> {
  const [keyFile, ca] = [join(dir, 'bmc-key.pem'), join(dir, 'bmc-certificate.pem')]
  const subject = ['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`]
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...algorithm,
    '-days',
    `${days}`,
    ...subject,
    '-keyout',
    keyFile,
    '-out',
    ca,
  ])
  return { key: await readFile(keyFile, 'utf8'), certificate: await readFile(ca, 'utf8'), ca }
}
