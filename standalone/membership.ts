import type { Key, Table } from '../lambdas/platform.ts'
import { getAppliance } from '../lambdas/store/appliances.ts'
import { certificateOf } from '../lambdas/store/certificates.ts'

/** `keep`: the certificate by which the appliance may stay connected. */
type Listener = (appliance: string, keep: string | undefined) => void

/** Which appliances may be on the bus: those of the table, each with the certificates that the table names, unless revoked. */
export class Membership {
  readonly #table: Table
  readonly #onRevoked: Listener[] = []

  constructor(table: Table) {
    this.#table = table
  }

  async admits(uuid: string, certificateSha256: string): Promise<boolean> {
    if (!(await this.#certificates(uuid)).includes(certificateSha256)) return false
    return (await this.#table.get(revocationKey(certificateSha256))) === undefined
  }

  revoke(uuid: string): Promise<void> {
    return this.#revoke(uuid, undefined)
  }

  retire(uuid: string, keep: string): Promise<void> {
    return this.#revoke(uuid, keep)
  }

  onRevoked(listener: Listener): void {
    this.#onRevoked.push(listener)
  }

  async #revoke(uuid: string, keep: string | undefined): Promise<void> {
    const meant = (await this.#certificates(uuid)).filter((each) => each !== keep)
    if (meant.length > 0)
      await this.#table.write(meant.map((each) => ({ put: { ...revocationKey(each), version: 1, value: { uuid } } })))
    for (const listener of this.#onRevoked) listener(uuid, keep)
  }

  /** Its own, and the one that it was given to use from now on: until it has connected by that it has both. */
  async #certificates(uuid: string): Promise<string[]> {
    const own = (await getAppliance(this.#table, uuid))?.certificate_sha256
    if (own === undefined) return []
    const next = (await certificateOf(this.#table, uuid))?.record.next?.sha256
    return next === undefined || next === own ? [own] : [own, next]
  }
}

function revocationKey(certificateSha256: string): Key {
  return { pk: `revoked-certificate#${certificateSha256}`, sk: 'revoked' }
}
