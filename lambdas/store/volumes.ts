import { UserError } from '../../contract/api/faults.ts'
import type { VolumeConnector, VolumeTarget } from '../../contract/volume.ts'
import type { Table, Write } from '../platform.ts'
import { type Need, store } from './entity.ts'
import { nodeKey } from './nodes.ts'
import { all } from './paging.ts'

const needsNode = ({ node_uuid: node }: { node_uuid: string }): Need[] => [
  { key: nodeKey(node), missing: new UserError(400, `Node ${node} could not be found.`) },
]
export const connectorList = (node: string) => ({ index: 'node' as const, pk: `connectors-of#${node}` })
export const targetList = (node: string) => ({ index: 'node' as const, pk: `targets-of#${node}` })

export const connectorStore = store<VolumeConnector>({
  title: 'volume connector',
  word: 'connector',
  plural: 'connectors',
  lists: ({ node_uuid: node }) => ({ node: connectorList(node).pk }),
  uniques: ({ type, connector_id: id }) => [
    {
      pk: `connector-id#${type}#${id}`,
      clash: `A volume connector with type ${type} and connector ID ${id} already exists.`,
    },
  ],
  needs: needsNode,
})

export const targetStore = store<VolumeTarget>({
  title: 'volume target',
  word: 'target',
  plural: 'targets',
  lists: ({ node_uuid: node }) => ({ node: targetList(node).pk }),
  uniques: ({ node_uuid: node, boot_index: index }) => [
    {
      pk: `boot-index#${node}#${index}`,
      clash: `A volume target with boot index '${index}' for the same node already exists.`,
    },
  ],
  needs: needsNode,
})

/** The writes that delete what a node has. */
export async function volumeDeletions(table: Table, node: string): Promise<Write[][]> {
  const connectors = await all<VolumeConnector>(table, connectorList(node))
  const targets = await all<VolumeTarget>(table, targetList(node))
  return [
    ...connectors.map((each) => connectorStore.writes(each, undefined)),
    ...targets.map((each) => targetStore.writes(each, undefined)),
  ]
}
