import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock } from './clock.ts'
import { HardwareError } from './hardware-error.ts'

/** Signs certificates of BMCs, for who has given the appliance an authority for them (`bmc_authority`). */
export interface BmcAuthority {
  /** Of the request only its key counts, and that the BMC holds it; `names`: DNS names and addresses. PEM. */
  sign(csr: string, names: readonly string[], days: number): Promise<string>
}

const DAY_MS = 86_400_000
/** BMCs have no good clocks. */
const BACKDATED_MS = 2 * DAY_MS

/** Read anew each time, so that an authority that was renewed counts at once. */
export function openBmcAuthority(files: { certificate: string; key: string }, clock: Clock): BmcAuthority {
  return {
    async sign(csr, names, days) {
      const [certificate, key] = await Promise.all([readPem(files.certificate), readPem(files.key)])
      const issuer = understood(files.certificate, () => new x509.X509Certificate(certificate))
      const signer = understood(files.key, () => createPrivateKey(key))
      const publicKey = await keyOf(csr)
      const [commonName = 'bmc'] = names
      const now = clock.now().getTime()
      const notAfter = new Date(Math.min(now + days * DAY_MS, issuer.notAfter.getTime()))
      if (notAfter.getTime() <= now)
        throw new HardwareError(`bmc_authority: ${files.certificate} ended ${issuer.notAfter.toISOString()}`)
      const { signingKey, signingAlgorithm } = await signingKeyOf(files.key, signer)
      const made = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: [{ CN: [commonName.slice(0, 64)] }],
        issuer: issuer.subjectName.toJSON(),
        notBefore: new Date(Math.max(now - BACKDATED_MS, issuer.notBefore.getTime())),
        notAfter,
        publicKey,
        signingKey,
        signingAlgorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
          ),
          await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      })
      return `${made.toString('pem')}\n`
    },
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new HardwareError(`bmc_authority: the appliance can't read ${path}`, { cause: error })
  }
}

function understood<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new HardwareError(`bmc_authority: ${path} is not what it should be in PEM`, { cause: error })
  }
}

async function keyOf(csr: string): Promise<x509.PublicKey> {
  try {
    // BMCs write NEW CERTIFICATE REQUEST too, which is the same (RFC 7468 §7).
    const request = new x509.Pkcs10CertificateRequest(csr.replaceAll('NEW CERTIFICATE REQUEST', 'CERTIFICATE REQUEST'))
    if (await request.verify()) return request.publicKey
  } catch (error) {
    throw new HardwareError("the BMC's request for a certificate is no PKCS #10", { cause: error })
  }
  throw new HardwareError("the BMC's request for a certificate is not signed by its own key")
}

const curves: Readonly<Record<string, { namedCurve: string; hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
}

async function signingKeyOf(path: string, key: KeyObject) {
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : curve && { name: 'ECDSA', ...curve }
  if (!algorithm) throw new HardwareError(`bmc_authority: ${path} is no key by RSA, nor on P-256, P-384 or P-521`)
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
  return { signingKey, signingAlgorithm: algorithm }
}

/** Positive, and of 20 bytes at most (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
