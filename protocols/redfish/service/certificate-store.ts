import { X509Certificate } from 'node:crypto'
import { pemAt } from '../certificate.ts'
import type { JsonObject } from '../json.ts'
import { textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, done, type Route } from './route.ts'
import { nextId, type State, type StoredCertificate } from './state.ts'

const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^-]+-----END (?:EC |RSA )?PRIVATE KEY-----\s*/

/** A collection of certificates that can be added to and deleted from. */
export function certificateRoutes(state: State, path: string): Route[] {
  const held = certificatesAt(state, path)
  return [
    {
      path,
      get: () =>
        collection(
          'CertificateCollection',
          'Certificates',
          held.map(({ id }) => `${path}/${id}`),
        ),
      post: ({ body }) => {
        const { pem } = certificateIn(pemAt(body, 'CertificateString'))
        const id = nextId(state)
        held.push({ id, pem, owner: textAt(body, 'UefiSignatureOwner') })
        return { status: 201, headers: { location: `${path}/${id}` } }
      },
    },
    {
      path: `${path}/:id`,
      get: ({ at }) => viewCertificate(find(held, at['id'])),
      delete: ({ at }) => {
        held.splice(held.indexOf(find(held, at['id'])), 1)
        return done
      },
    },
  ]
}

export function certificatesAt(state: State, path: string): StoredCertificate[] {
  const held = state.certificates.get(path) ?? []
  state.certificates.set(path, held)
  return held
}

/** A certificate in PEM, with its private key before it or without. */
export function certificateIn(text: string | undefined): {
  pem: string
  key: string | undefined
  x509: X509Certificate
} {
  const key = KEY.exec(text ?? '')?.[0]
  const pem = (text ?? '').replace(KEY, '')
  try {
    return { pem, key, x509: new X509Certificate(pem) }
  } catch {
    throw new Refusal(400, 'PropertyValueFormatError', ['CertificateString'])
  }
}

function find(held: readonly StoredCertificate[], id = ''): StoredCertificate {
  const found = held.find((each) => each.id === id)
  if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [id])
  return found
}

function viewCertificate({ id, pem, owner }: StoredCertificate): JsonObject {
  const of = new X509Certificate(pem)
  return {
    '@odata.type': '#Certificate.v1_6_0.Certificate',
    Id: id,
    Name: 'Certificate',
    Description: 'Certificate',
    CertificateString: pem,
    CertificateType: 'PEM',
    CertificateUsageTypes: ['Device'],
    CertificateUsageType: 'User',
    Fingerprint: of.fingerprint256,
    FingerprintHashAlgorithm: 'TPM_ALG_SHA256',
    Issuer: nameIn(of.issuer),
    Subject: nameIn(of.subject),
    KeyUsage: ['DigitalSignature'],
    SerialNumber: of.serialNumber,
    SignatureAlgorithm: 'ecdsa-with-SHA256',
    UefiSignatureOwner: owner ?? '',
    ValidNotBefore: new Date(of.validFrom).toISOString(),
    ValidNotAfter: new Date(of.validTo).toISOString(),
  }
}

/** node tells names in lines of `CN=…`. */
function nameIn(text: string): JsonObject {
  const parts = Object.fromEntries(text.split('\n').map((line) => line.split('=', 2) as [string, string]))
  return {
    CommonName: parts['CN'] ?? '',
    Organization: parts['O'] ?? '',
    OrganizationalUnit: parts['OU'] ?? '',
    City: parts['L'] ?? '',
    State: parts['ST'] ?? '',
    Country: parts['C'] ?? '',
  }
}
