import { UserError } from '../../contract/api/faults.ts'
import type { Port } from '../../contract/resources.ts'
import type { Table } from '../platform.ts'
import { store, uniqueName } from './entity.ts'
import { nodeKey } from './nodes.ts'
import { all } from './paging.ts'
import { portgroupStore } from './portgroups.ts'

/** So that a node and all its ports can go in one transaction. */
export const PORTS_PER_NODE = 25

const macPartition = (address: string): string => `mac#${address}`
export const portList = (node: string) => ({ index: 'node' as const, pk: `ports-of#${node}` })

export const portStore = store<Port>({
  title: 'port',
  word: 'port',
  plural: 'ports',
  lists: ({ node_uuid: node }) => ({ node: portList(node).pk }),
  uniques: ({ address, name }) => [
    { pk: macPartition(address), clash: `A port with MAC address ${address} already exists.` },
    ...uniqueName('port', 'port', name),
  ],
  needs: ({ node_uuid: node, portgroup_uuid: group }) => [
    { key: nodeKey(node), missing: new UserError(400, `Node ${node} could not be found.`) },
    ...(group === null
      ? []
      : [
          {
            key: portgroupStore.key(group),
            missing: new UserError(400, `Portgroup ${group} could not be found.`),
          },
        ]),
  ],
})

export async function portOfMac(table: Table, address: string): Promise<Port | undefined> {
  const pointer = await table.get({ pk: macPartition(address), sk: 'unique' })
  return pointer && portStore.get(table, (pointer.value as { uuid: string }).uuid)
}

export function portsOf(table: Table, node: string): Promise<Port[]> {
  return all<Port>(table, portList(node))
}
