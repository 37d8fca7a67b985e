import type { Volume } from '../../contract/block-storage.ts'
import { charging } from '../openstack/quotas.ts'
import type { Table } from '../platform.ts'

const none = { volumes: 0, gigabytes: 0, snapshots: 0 }
const amountsOf = (volume: Volume | undefined, project: string): typeof none =>
  volume?.project_id === project ? { volumes: 1, gigabytes: volume.size, snapshots: volume.snapshots.length } : none

/** The table by which a volume becomes what it shall be: what its project, or the one that it was of before, has more or less of it by that is
 * counted in the same transaction. */
export function countedTable(table: Table, before: Volume | undefined, after: Volume | undefined): Table {
  let counted = table
  for (const project of new Set([before?.project_id, after?.project_id])) {
    if (project === undefined) continue
    const [was, is] = [amountsOf(before, project), amountsOf(after, project)]
    const more = {
      volumes: is.volumes - was.volumes,
      gigabytes: is.gigabytes - was.gigabytes,
      snapshots: is.snapshots - was.snapshots,
    }
    if (Object.values(more).some((count) => count !== 0)) counted = charging(counted, project, more)
  }
  return counted
}
