import { UserError } from '../../contract/api/faults.ts'
import type { Portgroup } from '../../contract/portgroup.ts'
import type { Table } from '../platform.ts'
import { store, uniqueName } from './entity.ts'
import { nodeKey } from './nodes.ts'
import { all } from './paging.ts'

const ofNode = (node: string): string => `portgroups-of#${node}`

export const portgroupStore = store<Portgroup>({
  title: 'portgroup',
  word: 'portgroup',
  plural: 'portgroups',
  lists: ({ node_uuid: node }) => ({ node: ofNode(node) }),
  uniques: ({ name, address }) => [
    ...uniqueName('portgroup', 'portgroup', name),
    ...(address === null
      ? []
      : [
          {
            pk: `portgroup-mac#${address}`,
            clash: `A portgroup with MAC address ${address} already exists.`,
          },
        ]),
  ],
  needs: ({ node_uuid: node }) => [
    { key: nodeKey(node), missing: new UserError(400, `Node ${node} could not be found.`) },
  ],
})

export function portgroupsOf(table: Table, node: string): Promise<Portgroup[]> {
  return all<Portgroup>(table, { index: 'node', pk: ofNode(node) })
}
export const portgroupList = (node: string) => ({ index: 'node' as const, pk: ofNode(node) })

export async function portgroupOfMac(table: Table, address: string): Promise<Portgroup | undefined> {
  const pointer = await table.get({ pk: `portgroup-mac#${address}`, sk: 'unique' })
  return pointer && portgroupStore.get(table, (pointer.value as { uuid: string }).uuid)
}
