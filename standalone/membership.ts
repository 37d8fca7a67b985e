import type { Key, Table } from '../lambdas/platform.ts'
import { getAppliance } from '../lambdas/store/appliances.ts'

/** Which appliances may be on the bus: those of the table, each with the certificate that the table names, unless revoked. */
export class Membership {
  readonly #table: Table
  readonly #onRevoked: Array<(appliance: string) => void> = []

  constructor(table: Table) {
    this.#table = table
  }

  async admits(uuid: string, certificateSha256: string): Promise<boolean> {
    if ((await this.#certificate(uuid)) !== certificateSha256) return false
    return (await this.#table.get(revocationKey(certificateSha256))) === undefined
  }

  async revoke(uuid: string): Promise<void> {
    const certificate = await this.#certificate(uuid)
    if (certificate) await this.#table.write([{ put: { ...revocationKey(certificate), version: 1, value: { uuid } } }])
    for (const listener of this.#onRevoked) listener(uuid)
  }

  onRevoked(listener: (appliance: string) => void): void {
    this.#onRevoked.push(listener)
  }

  async #certificate(uuid: string): Promise<string | undefined> {
    return (await getAppliance(this.#table, uuid))?.certificate_sha256
  }
}

function revocationKey(certificateSha256: string): Key {
  return { pk: `revoked-certificate#${certificateSha256}`, sk: 'revoked' }
}
