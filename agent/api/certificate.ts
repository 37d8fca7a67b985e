import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { KeyUsageFlags, KeyUsagesExtension, BasicConstraintsExtension } from '@peculiar/x509'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'

export interface Identity {
  /** PEM, posted with each heartbeat as agent_verify_ca: whoever calls back trusts this certificate and no other. */
  certificate: string
  /** PEM, PKCS #8. Never leaves the process. */
  key: string
}

const hour = 3_600_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const

/** A self-signed certificate for one boot. It begins an hour ago, because clocks of servers and sites differ. */
export async function createIdentity(address: string, now: number): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${isIP(address) === 0 ? 'agent' : address}`,
    notBefore: new Date(now - hour),
    notAfter: new Date(now + 30 * 24 * hour),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
      new SubjectAlternativeNameExtension([{ type: 'ip', value: address }]),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const lines = key.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  }
}
