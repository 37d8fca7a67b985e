import type { Aggregate } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import { AGGREGATES } from '../compute/store.ts'
import type { Table } from '../platform.ts'
import { all } from '../store/paging.ts'

export type Membership = (node: Pick<Node, 'uuid' | 'conductor_group'>) => string[]

/** Uuids of the aggregates that a node is in, by itself or with its site. */
export async function membership(table: Table): Promise<Membership> {
  const aggregates = await all<Aggregate>(table, AGGREGATES)
  return ({ uuid, conductor_group: site }) =>
    aggregates.filter(({ hosts }) => hosts.includes(uuid) || hosts.includes(site)).map((each) => each.uuid)
}
