import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequest, X509CertificateGenerator } from '@peculiar/x509'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const authority = webcrypto.subtle.generateKey(P256, false, ['sign', 'verify'])
let serial = 1

/** A certificate for the key of this request, by an authority of this process. */
export async function signedFor(csr: string): Promise<string> {
  serial += 1
  const { privateKey } = (await authority) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    subject: 'CN=appliance',
    issuer: 'CN=authority of tests',
    publicKey: new Pkcs10CertificateRequest(csr).publicKey,
    signingKey: privateKey,
    signingAlgorithm: P256,
  })
  return certificate.toString('pem')
}
