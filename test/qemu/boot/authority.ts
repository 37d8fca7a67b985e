import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** EFI_CERT_X509_GUID, a5c059a1-94e4-4aa7-87b5-ab155c2bf072: UEFI 2.10 §32.4.1. */
const X509 = Buffer.from('a159c0a5e494a74a87b5ab155c2bf072', 'hex')
const OWNER = Buffer.alloc(16)

/**
 * A certificate for the site's address that is its own authority, and that authority for the firmware: `authorities.esl`, an
 * EFI_SIGNATURE_LIST, which OVMF takes from fw_cfg. RSA: edk2's TLS of Debian 12 is built without elliptic curves.
 */
export function enrolAuthority(dir: string): { certificate: string; key: string } {
  const [certificate, key] = [join(dir, 'site.pem'), join(dir, 'site.key')]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=10.97.0.1']
  const names = ['-addext', 'subjectAltName=IP:10.97.0.1']
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate], { stdio: 'pipe' })
  const der = new X509Certificate(readFileSync(certificate)).raw
  const sizes = Buffer.alloc(12)
  sizes.writeUInt32LE(28 + 16 + der.length, 0) // of the list
  sizes.writeUInt32LE(0, 4) // of its header
  sizes.writeUInt32LE(16 + der.length, 8) // of each signature
  writeFileSync(join(dir, 'authorities.esl'), Buffer.concat([X509, sizes, OWNER, der]))
  return { certificate, key }
}
