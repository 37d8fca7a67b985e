import { requiredAction } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { MalformedAnswer, NotOffered, RequestRefused } from './error.ts'
import { type JsonObject, linkAt, linksAt, objectAt, textAt, valueAt } from './json.ts'
import { managerOf } from './manager.ts'
import { readSystem, type System } from './system.ts'

/** Certificates that a BMC holds: of its own services, and of those whom it or the firmware trusts (DSP2046 Certificate). */
export interface Certificate {
  path: string
  /** PEM, where the BMC shows it. */
  pem: string | undefined
  subject: string | undefined
  issuer: string | undefined
  notBefore: string | undefined
  notAfter: string | undefined
}

export interface CsrSubject {
  commonName: string
  organization?: string
  organizationalUnit?: string
  city?: string
  state?: string
  /** Two letters. */
  country?: string
  /** More names and addresses that it shall be good for. */
  alternativeNames?: readonly string[]
}

const REQUEST =
  /^-----BEGIN (NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END (NEW )?CERTIFICATE REQUEST-----\s*$/
const LONGEST_PEM = 64 * 1024
const KEY_MS = 120_000 // an old BMC takes its time for an RSA key

/** Wherever they are on this BMC. */
export async function listCertificates(bmc: Redfish): Promise<Certificate[]> {
  const operation = 'list certificates'
  const locations = required(bmc, await serviceOf(bmc, operation), ['CertificateLocations'], operation)
  const paths = linksAt((await bmc.get(locations, operation)).body, 'Links', 'Certificates')
  const found: Certificate[] = []
  for (const path of paths.slice(0, 256)) found.push(certificateOf(await bmc.get(path, operation)))
  return found
}

/** A request for a certificate, PEM, for the certificates of `collection`. The private key stays in the BMC. */
export async function generateCsr(bmc: Redfish, collection: string, subject: CsrSubject): Promise<string> {
  const operation = 'request a certificate'
  const { target } = requiredAction(bmc, await serviceOf(bmc, operation), '#CertificateService.GenerateCSR', operation)
  const { commonName, alternativeNames = [], ...more } = subject
  const body = {
    CertificateCollection: { '@odata.id': collection },
    CommonName: commonName,
    // Required by the schema, though not by what signs.
    Organization: more.organization ?? '',
    OrganizationalUnit: more.organizationalUnit ?? '',
    City: more.city ?? '',
    State: more.state ?? '',
    Country: more.country ?? '',
    ...(alternativeNames.length === 0 ? {} : { AlternativeNames: alternativeNames }),
  }
  const answer = await bmc.send({ method: 'POST', path: target, body }, { operation, timeoutMs: KEY_MS })
  const csr = pemAt(answer.body, 'CSRString') ?? ''
  if (!REQUEST.test(csr)) throw new MalformedAnswer(bmc.subject(operation), 'a certificate request that is none')
  return csr
}

/** Puts a certificate in place of the one at `path`; for one of the BMC's own key, or with `key` for another. */
export async function replaceCertificate(bmc: Redfish, path: string, pem: string, key = ''): Promise<void> {
  const operation = 'replace a certificate'
  const service = await serviceOf(bmc, operation)
  const { target } = requiredAction(bmc, service, '#CertificateService.ReplaceCertificate', operation)
  const body = { CertificateUri: { '@odata.id': path }, CertificateString: key + pem, CertificateType: 'PEM' }
  await bmc.send({ method: 'POST', path: target, body }, { operation, secrets: secretsOf(key) })
}

/** The certificates of a BMC's own HTTPS. */
export async function httpsCertificates(
  bmc: Redfish,
  system: System,
): Promise<{ collection: string; paths: string[] }> {
  const operation = "find the BMC's certificate"
  const manager = await managerOf(bmc, system, operation)
  const protocol = await bmc.get(required(bmc, manager, ['NetworkProtocol'], operation), operation)
  const collection = required(bmc, protocol, ['HTTPS', 'Certificates'], operation)
  return { collection, paths: (await members(bmc, collection, operation)).map(({ path }) => path) }
}

/** Has HTTPS use this certificate. The connections there are may break: whoever pins or verifies connects anew. */
export async function installHttpsCertificate(bmc: Redfish, system: System, pem: string, key = ''): Promise<void> {
  const { collection, paths } = await httpsCertificates(bmc, system)
  const [first] = paths
  if (first === undefined) await addCertificate(bmc, collection, pem, key)
  else await replaceCertificate(bmc, first, pem, key)
}

/** Certificates whom the firmware trusts when it boots by HTTPS (UEFI 2.10 §24.7.4). Those that are there already stay. */
export async function installBootCertificates(bmc: Redfish, system: System, pems: readonly string[]): Promise<void> {
  const operation = 'install boot certificates'
  const { body } = await readSystem(bmc, system, operation)
  const collection = linkAt(body, 'Boot', 'Certificates')
  if (collection === undefined)
    throw new NotOffered(bmc.subject(operation), "the BMC doesn't hand certificates to the firmware; use its set-up")
  const held = (await members(bmc, collection, operation)).map((each) => certificateOf(each).pem)
  for (const pem of pems) if (!held.some((each) => samePem(each, pem))) await addCertificate(bmc, collection, pem)
}

export async function addCertificate(bmc: Redfish, collection: string, pem: string, key = ''): Promise<void> {
  const how = { operation: 'add a certificate', secrets: secretsOf(key) }
  await bmc.send(
    { method: 'POST', path: collection, body: { CertificateString: key + pem, CertificateType: 'PEM' } },
    how,
  )
}

/** One that is gone is as good. */
export async function deleteCertificate(bmc: Redfish, path: string): Promise<void> {
  try {
    await bmc.send({ method: 'DELETE', path }, { operation: 'delete a certificate' })
  } catch (error) {
    if (!(error instanceof RequestRefused) || error.status !== 404) throw error
  }
}

export function certificateOf({ path, body }: Pick<Resource, 'path' | 'body'>): Certificate {
  return {
    path,
    pem: pemAt(body, 'CertificateString'),
    subject: nameOf(objectAt(body, 'Subject')),
    issuer: nameOf(objectAt(body, 'Issuer')),
    notBefore: textAt(body, 'ValidNotBefore'),
    notAfter: textAt(body, 'ValidNotAfter'),
  }
}

function nameOf(name: JsonObject | undefined): string | undefined {
  return textAt(name, 'DisplayString') ?? textAt(name, 'CommonName') ?? textAt(name, 'Organization')
}

/** A chain with a key is longer than any other text. */
export function pemAt(from: unknown, key: string): string | undefined {
  const value = valueAt(from, key)
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_PEM ? value : undefined
}

/** Whatever their line ends are. */
export function samePem(one: string | undefined, other: string): boolean {
  const bare = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '')
  return one !== undefined && bare(one) === bare(other)
}

function secretsOf(key: string): string[] {
  return key === '' ? [] : [key, key.trim()]
}

async function serviceOf(bmc: Redfish, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, bmc.root, ['CertificateService'], operation), operation)
}
