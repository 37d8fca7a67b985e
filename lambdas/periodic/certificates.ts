import type { Appliance } from '../../contract/resources.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { noticeItem } from '../reports/notice.ts'
import { getAppliance } from '../store/appliances.ts'
import {
  applianceOfCertificate,
  certificateItem,
  CERTIFICATES_DUE,
  type CertificateRecord,
} from '../store/certificates.ts'
import { dueItems } from './due.ts'

const AGAIN_MS = 24 * 3_600_000

/** Certificates that should have been renewed long before: people hear of each once a day. */
export async function warnOfCertificates(platform: Platform): Promise<void> {
  for await (const item of dueItems(platform.table, CERTIFICATES_DUE, platform.clock.now())) await warn(platform, item)
}

async function warn({ table, clock, ids, log }: Platform, item: Item): Promise<void> {
  const uuid = applianceOfCertificate(item)
  const appliance = await getAppliance(table, uuid)
  const now = clock.now()
  const record = item.value as CertificateRecord
  const again = certificateItem(uuid, record, item.version + 1, new Date(now.getTime() + AGAIN_MS))
  const text = appliance && textOf(appliance, record, now)
  const notice = text && noticeItem(appliance, { id: ids.uuid(), subject: 'certificate', text }, now)
  try {
    await table.write([
      appliance ? { put: again, expect: item.version } : { delete: item, expect: item.version },
      ...(notice ? [{ put: notice }] : []),
    ])
    if (appliance) log.warn({ site: appliance.site, appliance: appliance.name, text }, 'certificate not renewed')
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // it was renewed, or somebody else has told
  }
}

function textOf({ name, last_seen }: Appliance, { life, next }: CertificateRecord, now: Date): string {
  const heard = last_seen === null ? 'it was never heard of' : `it was last heard of at ${last_seen}`
  const remedy = `${heard}. See that it runs, is connected and up to date`
  if (!life)
    return `Appliance ${name} was given another certificate at ${next?.issued_at} and does not use it: ${remedy}.`
  if (Date.parse(life.expires_at) > now.getTime())
    return `The certificate of appliance ${name} ends at ${life.expires_at} and is not renewed: ${remedy}.`
  return `The certificate of appliance ${name} ended at ${life.expires_at}: ${heard}. Where it can't connect, delete it and enrol it again (--again).`
}
