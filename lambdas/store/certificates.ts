import type { CertificateLife } from '../../contract/appliance-certificate.ts'
import type { Item, Key, Table } from '../platform.ts'

/** Of each appliance's certificate: how long it is to be used, and the one that shall follow. */
export interface CertificateRecord {
  /** Absent: it is from before certificates were renewed. */
  life?: CertificateLife
  /** Of the request that it answered, where it was no enrolment. */
  csr_sha256?: string
  /** Issued, and told to the appliance, which was not yet heard of by it. */
  next?: NextCertificate
  /** When people were last told that a renewal failed. */
  told_at?: string
}

export interface NextCertificate extends CertificateLife {
  /** Of the request that it answers. */
  csr_sha256: string
  sha256: string
  certificate: string
  authorities: string
}

/** Listed by when people should hear that it was not renewed. */
export const CERTIFICATES_DUE = 'due-certificates'

export const certificateKey = (appliance: string): Key => ({ pk: `appliance#${appliance}`, sk: 'certificate' })
export const applianceOfCertificate = ({ pk }: Key): string => pk.slice('appliance#'.length)

/** An appliance asks at two thirds of the life, or up to a twelfth of it later. */
const WARN_AT = 5 / 6

export function certificateItem(
  appliance: string,
  value: CertificateRecord,
  version: number,
  due = warningOf(value.life ?? value.next),
): Item {
  const by = due && { due: { pk: CERTIFICATES_DUE, sk: `${due.toISOString()}#${appliance}` } }
  return { ...certificateKey(appliance), version, value, ...(by && { by }) }
}

function warningOf(life: CertificateLife | undefined): Date | undefined {
  if (!life) return undefined
  const [from, to] = [Date.parse(life.issued_at), Date.parse(life.expires_at)]
  return new Date(from + (to - from) * WARN_AT)
}

export async function certificateOf(
  table: Table,
  appliance: string,
): Promise<{ record: CertificateRecord; version: number } | undefined> {
  const item = await table.get(certificateKey(appliance))
  return item && { record: item.value as CertificateRecord, version: item.version }
}
