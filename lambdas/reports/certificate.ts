import { hash } from 'node:crypto'
import type { CertificateTold } from '../../contract/appliance-certificate.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Appliance } from '../../contract/resources.ts'
import { send } from '../conductor/publish.ts'
import { ConflictError, type Enrolment, type Platform } from '../platform.ts'
import { applianceItem, applianceKey, getAppliance } from '../store/appliances.ts'
import { certificateItem, certificateOf, type CertificateRecord, type NextCertificate } from '../store/certificates.ts'
import { noticeItem } from './notice.ts'

const AGAIN_MS = 10 * 60_000
const TELL_MS = 24 * 3_600_000
const ATTEMPTS = 10

/** What an appliance says of its certificate: it wants another one, or it is connected by the one that it was given. */
export async function tendCertificate(platform: Platform, appliance: Appliance, told: CertificateTold): Promise<void> {
  if (told.csr === undefined && told.sha256 === appliance.certificate_sha256) return
  const found = await certificateOf(platform.table, appliance.uuid)
  if (found?.record.next?.sha256 === told.sha256) await replaceCertificate(platform, appliance.uuid, told.sha256)
  else if (told.csr !== undefined) await renew(platform, appliance, told.csr, found ?? { record: {}, version: 0 })
}

type Found = { record: CertificateRecord; version: number }

/** The same request gets the same certificate, because answers are lost. Others come as often as an appliance likes that somebody has taken
 * over, so that not each gets one. */
async function renew(platform: Platform, appliance: Appliance, csr: string, found: Found): Promise<void> {
  const { record } = found
  const csr_sha256 = hash('sha256', csr)
  if (record.next?.csr_sha256 === csr_sha256) return answer(platform, appliance.uuid, record.next)
  const last = record.next ?? record.life
  const isSoon = last && platform.clock.now().getTime() - Date.parse(last.issued_at) < AGAIN_MS
  if (isSoon || record.csr_sha256 === csr_sha256) {
    platform.log.warn({ site: appliance.site, appliance: appliance.name }, 'certificate not renewed again so soon')
    return
  }
  let issued: Enrolment
  try {
    issued = await platform.identity.issue(appliance.uuid, csr, platform.options.appliance_certificate_days)
  } catch (error) {
    return tellOfFailure(platform, appliance, found, error)
  }
  const { certificate, authorities, certificate_sha256: sha256, issued_at, expires_at } = issued
  const next = { csr_sha256, sha256, certificate, authorities, issued_at, expires_at }
  if (await keep(platform, appliance, { ...record, next }, found.version)) {
    platform.log.info({ site: appliance.site, appliance: appliance.name, sha256, expires_at }, 'certificate issued')
    await answer(platform, appliance.uuid, next)
  }
}

function answer(platform: Platform, appliance: string, next: NextCertificate): Promise<void> {
  const { certificate, authorities, issued_at, expires_at } = next
  return send(platform, appliance, { v: 1, kind: 'renewed', certificate, authorities, issued_at, expires_at })
}

/** False: somebody else has issued one meanwhile, which is had by asking again; or the appliance is deleted, and what was issued is revoked. */
async function keep(
  platform: Platform,
  { uuid }: Appliance,
  record: CertificateRecord,
  version: number,
): Promise<boolean> {
  try {
    await platform.table.write([
      { check: applianceKey(uuid), expect: 'present' },
      { put: certificateItem(uuid, record, version + 1), expect: version === 0 ? 'absent' : version },
    ])
    return true
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    if (error.index === 0) await platform.identity.revoke(uuid)
    return false
  }
}

/** The appliance asks again by itself; people hear of it once a day. */
async function tellOfFailure(platform: Platform, appliance: Appliance, found: Found, error: unknown): Promise<void> {
  const { table, clock, ids, log } = platform
  const why = error instanceof UserError ? error.message : String(error)
  log.error({ site: appliance.site, appliance: appliance.name, error: why }, 'certificate not renewed')
  const now = clock.now()
  const { told_at } = found.record
  if (told_at !== undefined && now.getTime() - Date.parse(told_at) < TELL_MS) return
  const record = { ...found.record, told_at: now.toISOString() }
  const until = appliance.certificate_expires_at ?? 'its own end'
  const text = `The certificate of appliance ${appliance.name}, good until ${until}, could not be renewed: ${why}`
  const notice = { id: ids.uuid(), subject: 'certificate' as const, text: text.slice(0, 1024) }
  try {
    await table.write([
      { check: applianceKey(appliance.uuid), expect: 'present' },
      {
        put: certificateItem(appliance.uuid, record, found.version + 1),
        expect: found.version === 0 ? 'absent' : found.version,
      },
      { put: noticeItem(appliance, notice, now) },
    ])
  } catch (conflict) {
    if (!(conflict instanceof ConflictError)) throw conflict
  }
}

/** It has connected by it, so that it needs no other. The others are retired first: if this ends between, its next sign of life does the rest. */
async function replaceCertificate(platform: Platform, uuid: string, sha256: string): Promise<void> {
  const { table, log } = platform
  await platform.identity.retire(uuid, sha256)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [appliance, found] = [await getAppliance(table, uuid), await certificateOf(table, uuid)]
    const next = found?.record.next
    if (!appliance || next?.sha256 !== sha256) return
    const { csr_sha256, issued_at, expires_at } = next
    const version = appliance.version + 1
    const after = { ...appliance, certificate_sha256: sha256, certificate_expires_at: expires_at, version }
    const record = { csr_sha256, life: { issued_at, expires_at } }
    try {
      await table.write([
        { put: applianceItem(after), expect: appliance.version },
        { put: certificateItem(uuid, record, found!.version + 1), expect: found!.version },
      ])
      log.info({ site: appliance.site, appliance: appliance.name, sha256, expires_at }, 'certificate replaced')
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  log.warn({ appliance: uuid }, 'certificate not noted as replaced; its next sign of life does that')
}
