import type { Redfish } from './client.ts'
import { members, required } from './collection.ts'
import { addCertificate, certificateOf, samePem } from './certificate.ts'
import { NotOffered } from './error.ts'
import { linkAt, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

/** UEFI's variables (UEFI 2.10 §32.4): platform key, key exchange keys, signatures that may boot and that may not. */
export const databases = ['PK', 'KEK', 'db', 'dbx'] as const
export type Database = (typeof databases)[number]

export interface Enrolment {
  database: Database
  /** PEM. */
  certificates?: readonly string[]
  /** SHA-256 of images, hexadecimal; for db and dbx. */
  hashes?: readonly string[]
  /** GUID of who answers for it. */
  owner?: string
}

/** With a platform key set up, the firmware takes changes of the others only if signed: so it comes last. */
const order: readonly Database[] = ['dbx', 'db', 'KEK', 'PK']

export interface KeyDatabase {
  database: string
  certificates: readonly { subject: string | undefined; pem: string | undefined }[]
  hashes: readonly string[]
}

export async function readSecureBootKeys(bmc: Redfish, system: System): Promise<KeyDatabase[]> {
  const operation = "read Secure Boot's keys"
  const found: KeyDatabase[] = []
  for (const { body } of await databasesOf(bmc, system, operation)) {
    const [certificates, signatures] = [linkAt(body, 'Certificates'), linkAt(body, 'Signatures')]
    found.push({
      database: textAt(body, 'DatabaseId') ?? textAt(body, 'Id') ?? '',
      certificates: (certificates === undefined ? [] : await members(bmc, certificates, operation)).map(certificateOf),
      hashes: (signatures === undefined ? [] : await members(bmc, signatures, operation)).flatMap(
        (each) => textAt(each.body, 'SignatureString') ?? [],
      ),
    })
  }
  return found
}

/** Adds to what the databases hold. What is in already is left as it is, so that this can be done again. */
export async function enrolSecureBootKeys(bmc: Redfish, system: System, wishes: readonly Enrolment[]): Promise<void> {
  const operation = "enrol Secure Boot's keys"
  const found = await databasesOf(bmc, system, operation)
  for (const name of order)
    for (const wish of wishes.filter(({ database }) => database === name)) {
      const body = found.find((each) => textAt(each.body, 'DatabaseId') === name)?.body
      if (!body) throw new NotOffered(bmc.subject(operation), `the BMC has no Secure Boot database ${name}`)
      await addCertificates(bmc, linkAt(body, 'Certificates'), wish, operation)
      await addHashes(bmc, linkAt(body, 'Signatures'), wish, operation)
    }
}

async function addCertificates(
  bmc: Redfish,
  collection: string | undefined,
  { database, certificates = [] }: Enrolment,
  operation: string,
): Promise<void> {
  if (certificates.length === 0) return
  if (collection === undefined)
    throw new NotOffered(bmc.subject(operation), `the BMC takes no certificates for database ${database}`)
  const held = (await members(bmc, collection, operation)).map((each) => certificateOf(each).pem)
  for (const pem of certificates) {
    if (held.some((each) => samePem(each, pem))) continue
    await addCertificate(bmc, collection, pem)
    held.push(pem)
  }
}

async function addHashes(
  bmc: Redfish,
  collection: string | undefined,
  { database, hashes = [], owner = '00000000-0000-0000-0000-000000000000' }: Enrolment,
  operation: string,
): Promise<void> {
  if (hashes.length === 0) return
  if (collection === undefined)
    throw new NotOffered(bmc.subject(operation), `the BMC takes no signatures for database ${database}`)
  const held = (await members(bmc, collection, operation)).map(({ body }) =>
    textAt(body, 'SignatureString')?.toLowerCase(),
  )
  for (const hash of hashes) {
    if (held.includes(hash.toLowerCase())) continue
    const body = {
      SignatureString: hash,
      SignatureType: 'EFI_CERT_SHA256_GUID',
      SignatureTypeRegistry: 'UEFI',
      UefiSignatureOwner: owner,
    }
    await bmc.send({ method: 'POST', path: collection, body }, { operation })
    held.push(hash.toLowerCase())
  }
}

async function databasesOf(bmc: Redfish, system: System, operation: string) {
  const secureBoot = await bmc.get(
    required(bmc, await readSystem(bmc, system, operation), ['SecureBoot'], operation),
    operation,
  )
  const collection = required(bmc, secureBoot, ['SecureBootDatabases'], operation)
  return members(bmc, collection, operation)
}
