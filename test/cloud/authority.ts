import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const crypto = webcrypto as unknown as Parameters<typeof X509CertificateGenerator.create>[1]
const newKeys = () =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

export interface Authority {
  /** PEM. */
  certificate: string
  server(): Promise<{ certificate: string; privateKey: string }>
  /** For the request's key, to the name given here; rejects when the request is not signed by its key. */
  client(csr: string, commonName: string): Promise<string>
}

/** A certificate authority that lives as long as a test. */
export async function newAuthority(): Promise<Authority> {
  const keys = await newKeys()
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) }
  const issuer = 'CN=Test broker authority'
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity,
      serialNumber: serial(),
      name: issuer,
      keys,
      signingAlgorithm: algorithm,
      extensions: [new BasicConstraintsExtension(true, 0, true)],
    },
    crypto,
  )
  const sign = (subject: string, publicKey: webcrypto.CryptoKey, extensions: SubjectAlternativeNameExtension[] = []) =>
    X509CertificateGenerator.create(
      {
        ...validity,
        serialNumber: serial(),
        subject,
        issuer,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions,
      },
      crypto,
    )
  return {
    certificate: root.toString('pem'),
    async server() {
      const own = await newKeys()
      const names = new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ])
      const certificate = (await sign('CN=localhost', own.publicKey, [names])).toString('pem')
      return { certificate, privateKey: await privatePem(own.privateKey) }
    },
    async client(csr, commonName) {
      const request = new Pkcs10CertificateRequest(csr)
      if (!(await request.verify(crypto))) throw new Error('the request is not signed by its own key')
      return (await sign(`CN=${commonName}`, await request.publicKey.export(crypto))).toString('pem')
    },
  }
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
}

/** Positive, as RFC 5280 §4.1.2.2 wants it. */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
