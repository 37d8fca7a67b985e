import type { Volume } from '../../contract/block-storage.ts'
import { charging } from '../openstack/quotas.ts'
import type { Table } from '../platform.ts'

const none = { volumes: 0, gigabytes: 0, snapshots: 0 }
const amountsOf = (volume: Volume | undefined): typeof none =>
  volume ? { volumes: 1, gigabytes: volume.size, snapshots: volume.snapshots.length } : none

/** The table by which a volume becomes what it shall be: what its project has more or less of it by that is counted in the same transaction. */
export function countedTable(table: Table, before: Volume | undefined, after: Volume | undefined): Table {
  const [was, is] = [amountsOf(before), amountsOf(after)]
  const more = {
    volumes: is.volumes - was.volumes,
    gigabytes: is.gigabytes - was.gigabytes,
    snapshots: is.snapshots - was.snapshots,
  }
  const project = (after ?? before)?.project_id
  const isSame = Object.values(more).every((count) => count === 0)
  return isSame || project === undefined ? table : charging(table, project, more)
}
