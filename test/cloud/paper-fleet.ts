import type { Platform } from '../../lambdas/platform.ts'
import { siteItem } from '../../lambdas/store/sites.ts'
import { openTable, type SqliteTable } from '../../standalone/table.ts'

/** A table in memory, and of a platform what schedulers need. */
export class PaperFleet implements Disposable {
  readonly platform: Platform
  readonly table: SqliteTable

  constructor() {
    const clock = { now: () => new Date('2026-11-23T10:00:00.000Z') }
    this.table = openTable({ path: ':memory:', clock })
    let ids = 0
    this.platform = {
      table: this.table,
      clock,
      ids: { uuid: () => `id-${(ids += 1)}`, token: () => 'token' },
      log: { info: () => {}, warn: () => {}, error: () => {} },
    } as unknown as Platform // blobs, bus and couriers are nobody's concern here
  }

  async site(name: string): Promise<void> {
    const site = { name, description: null, created_at: '2026-11-23T10:00:00.000Z', version: 1 }
    await this.table.write([{ put: siteItem(site) }])
  }

  [Symbol.dispose](): void {
    this.table.close()
  }
}
