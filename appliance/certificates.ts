import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { webcrypto } from 'node:crypto'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAYS_30 = 30 * 86_400_000

export interface Pem {
  certificate: string
  privateKey: string
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

/** A key pair of this appliance's own and the request that its site's authority signs (PKCS #10). The private key never leaves. */
export async function certificateRequest(commonName: string): Promise<{ csr: string; privateKey: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: P256,
  })
  return { csr: csr.toString('pem'), privateKey: await keyPem(keys.privateKey) }
}

/** For the agents' door: hides tokens from who listens in. Ramdisks can't know it beforehand, so they don't verify it (`ipa-insecure=1`). */
export async function selfSigned(address: string, now: Date): Promise<Pem> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [address] }],
    notBefore: new Date(now.getTime() - DAYS_30),
    notAfter: new Date(now.getTime() + 365 * 86_400_000),
    keys,
    signingAlgorithm: P256,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }])],
  })
  return { certificate: certificate.toString('pem'), privateKey: await keyPem(keys.privateKey) }
}
