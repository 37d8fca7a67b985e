import 'reflect-metadata'
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { UserError } from '../contract/api/faults.ts'
import type { Clock, Enrolment, Identity } from '../lambdas/platform.ts'
import type { Membership } from './membership.ts'
import { writeOnce } from './write-once.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
/** Nobody is there to renew it by hand. */
const ROOT_DAYS = 7300
const SERVER_DAYS = 825
/** Sites' clocks are set by whoever racked them. */
const BACKDATED_DAYS = 2
const CSR_LIMIT = 16_384

interface Root {
  certificate: x509.X509Certificate
  privateKey: webcrypto.CryptoKey
}

/** The root certificate, made at the first start and kept, 0600, in `dir`. */
export async function openAuthority(dir: string, clock: Clock): Promise<Authority> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeOnce(join(dir, 'root.pem'), () => makeRoot(clock))
  const text = await readFile(join(dir, 'root.pem'), 'utf8')
  const certificate = new x509.X509Certificate(section(text, 'CERTIFICATE'))
  const pkcs8 = x509.PemConverter.decodeFirst(section(text, 'PRIVATE KEY'))
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
  return new Authority({ certificate, privateKey }, clock)
}

export class Authority {
  readonly #root: Root
  readonly #clock: Clock

  constructor(root: Root, clock: Clock) {
    this.#root = root
    this.#clock = clock
  }

  get pem(): string {
    return `${this.#root.certificate.toString('pem')}\n`
  }

  /** For a TLS server that is reached under `names` (DNS names and addresses). The key lives as long as the process. */
  async server(names: string[]): Promise<{ key: string; cert: string }> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const alternatives = names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))
    const certificate = await this.#sign('CN=bloomery', keys.publicKey, SERVER_DAYS, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
    ])
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
    return { key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), cert: certificate.toString('pem') }
  }

  /** The subject is ours to say; of the request only its key counts, and that the asker holds it. */
  async appliance(uuid: string, csr: string, days: number): Promise<x509.X509Certificate> {
    const publicKey = await keyOf(csr)
    return this.#sign(`CN=${uuid}`, publicKey, days, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ])
  }

  async #sign(subject: string, publicKey: x509.PublicKeyType, days: number, extensions: x509.Extension[]) {
    const now = this.#clock.now().getTime()
    return x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: this.#root.certificate.subject,
      notBefore: new Date(now - BACKDATED_DAYS * DAY_MS),
      notAfter: new Date(now + days * DAY_MS),
      signingAlgorithm: algorithm,
      publicKey,
      signingKey: this.#root.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#root.certificate.publicKey),
        ...extensions,
      ],
    })
  }
}

/** Certificates of appliances by our own root; the broker asks `membership` at each connection. */
export class OwnIdentity implements Identity {
  readonly #authority: Authority
  readonly #membership: Membership
  readonly #broker: () => string

  constructor(authority: Authority, membership: Membership, broker: () => string) {
    this.#authority = authority
    this.#membership = membership
    this.#broker = broker
  }

  async issue(appliance: string, csr: string, days: number): Promise<Enrolment> {
    const certificate = await this.#authority.appliance(appliance, csr, days)
    return {
      certificate: `${certificate.toString('pem')}\n`,
      authorities: this.#authority.pem,
      broker: this.#broker(),
      certificate_sha256: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
      issued_at: new Date(certificate.notAfter.getTime() - days * DAY_MS).toISOString(),
      expires_at: certificate.notAfter.toISOString(),
    }
  }

  async revoke(appliance: string): Promise<void> {
    await this.#membership.revoke(appliance)
  }

  retire(appliance: string, keep: string): Promise<void> {
    return this.#membership.retire(appliance, keep)
  }
}

async function makeRoot(clock: Clock): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = clock.now().getTime()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Bloomery root ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(now - BACKDATED_DAYS * DAY_MS),
    notAfter: new Date(now + ROOT_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${certificate.toString('pem')}\n${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`
}

async function keyOf(csr: string): Promise<x509.PublicKey> {
  if (csr.length > CSR_LIMIT) throw new UserError(400, `csr: at most ${CSR_LIMIT} characters`)
  let request: x509.Pkcs10CertificateRequest
  let proven: boolean
  try {
    request = new x509.Pkcs10CertificateRequest(csr)
    proven = await request.verify()
  } catch {
    throw new UserError(400, 'csr: not a PKCS #10 certificate request in PEM form')
  }
  if (!proven) throw new UserError(400, 'csr: its signature is not by the key in it')
  const { name, namedCurve } = request.publicKey.algorithm as { name: string; namedCurve?: string }
  if (name !== 'ECDSA' || !['P-256', 'P-384'].includes(namedCurve ?? ''))
    throw new UserError(400, 'csr: the key must be ECDSA on P-256 or P-384')
  return request.publicKey
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

function section(text: string, label: string): string {
  const begin = text.indexOf(`-----BEGIN ${label}-----`)
  const end = text.indexOf(`-----END ${label}-----`)
  if (begin < 0 || end < begin) throw new Error(`root.pem holds no ${label}; restore it from a backup`)
  return text.slice(begin, end + `-----END ${label}-----`.length)
}
