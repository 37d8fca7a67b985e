import type { Chassis } from '../../contract/chassis.ts'
import type { Key, Table } from '../platform.ts'
import { store } from './entity.ts'

export const chassisStore = store<Chassis>({ title: 'chassis', word: 'chassis', plural: 'all-chassis' })

const PREFIX = 'node#'

/** The item that says that a node is in a chassis. */
export const memberKey = (chassis: string, node: { uuid: string; created_at: string }): Key => ({
  pk: chassisStore.key(chassis).pk,
  sk: `${PREFIX}${node.created_at}#${node.uuid}`,
})

export async function isEmpty(table: Table, { uuid }: Chassis): Promise<boolean> {
  const { items } = await table.query({ pk: chassisStore.key(uuid).pk, prefix: PREFIX, limit: 1 })
  return items.length === 0
}
