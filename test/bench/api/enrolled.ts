import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Interfaces, resolveInterfaces } from '../../../contract/hardware.ts'
import { node as one } from '../../../lambdas/conductor/testing.ts'
import { nodeItem } from '../../../lambdas/store/nodes.ts'
import { openTable } from '../../../standalone/table.ts'

import { SITE } from '../../ironic/bloomery.ts'

const BATCH = 100
const interfaces = resolveInterfaces('fake-hardware', {}) as Interfaces
const fake = { ...interfaces, driver: 'fake-hardware', driver_info: {}, properties: {}, instance_info: {} }

/** A data directory with so many nodes at rest in it, written as the API writes them. Returns their uuids, in order of creation. */
export async function enrolled(dir: string, count: number): Promise<string[]> {
  mkdirSync(dir, { recursive: true })
  const clock = { now: () => new Date() }
  const table = openTable({ path: join(dir, 'bloomery.sqlite'), clock })
  const uuids: string[] = []
  try {
    const first = Date.now() - count * 1000
    for (let at = 0; at < count; at += BATCH) {
      const made = Array.from({ length: Math.min(BATCH, count - at) }, (_, n) => ({
        ...one,
        ...fake,
        uuid: randomUUID(),
        name: `bench-${at + n}`,
        conductor_group: SITE,
        provision_state: 'enroll' as const,
        created_at: new Date(first + (at + n) * 1000).toISOString(),
      }))
      uuids.push(...made.map(({ uuid }) => uuid))
      await table.write(made.map((node) => ({ put: nodeItem(node), expect: 'absent' as const })))
    }
    // What is at rest is nothing to the conductor: it need not read it all before the first request.
    table.database.sql.exec('DELETE FROM feed')
  } finally {
    table.close()
  }
  return uuids
}
