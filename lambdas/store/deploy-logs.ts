import { type DeployLog, DEPLOY_LOG_DAYS, DEPLOY_LOGS_PER_NODE } from '../../contract/deploy-log.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { store } from './entity.ts'
import { nodeKey } from './nodes.ts'
import { all } from './paging.ts'

const ofNode = (node: string) => ({ index: 'node' as const, pk: `deploy-logs-of#${node}` })

export const deployLogStore = store<DeployLog>({
  title: 'deploy log',
  word: 'deploy-log',
  plural: 'deploy-logs',
  lists: ({ node_uuid: node }) => ({ node: ofNode(node).pk }),
  needs: ({ node_uuid: node }) => [
    { key: nodeKey(node), missing: new UserError(404, `Node ${node} could not be found.`) },
  ],
})

export const deployLogBlob = ({ node_uuid, uuid }: Pick<DeployLog, 'node_uuid' | 'uuid'>): string =>
  `deploy-logs/${node_uuid}/${uuid}`

type Needs = Pick<Platform, 'table' | 'blobs'>

/** Oldest first. */
export function deployLogsOf(table: Platform['table'], node: string): Promise<DeployLog[]> {
  return all<DeployLog>(table, ofNode(node))
}

/** Those of a node that is gone, or that make room for newer ones. */
export async function deleteDeployLogs({ table, blobs }: Needs, node: string, keep = 0): Promise<void> {
  const known = await deployLogsOf(table, node)
  for (const log of known.slice(0, Math.max(0, known.length - keep))) await drop({ table, blobs }, log)
}

export function makeRoom(platform: Needs, node: string): Promise<void> {
  return deleteDeployLogs(platform, node, DEPLOY_LOGS_PER_NODE)
}

const PAGE = 100

/** Those that are older than they are kept: the list of all is in order of creation. */
export async function expireDeployLogs({ table, blobs, clock }: Needs & Pick<Platform, 'clock'>): Promise<void> {
  const oldest = new Date(clock.now().getTime() - DEPLOY_LOG_DAYS * 86_400_000).toISOString()
  const { values } = await deployLogStore.list(table, { limit: PAGE })
  for (const log of values.filter(({ created_at: made }) => made < oldest)) await drop({ table, blobs }, log)
}

/** The archive first: what is left of it then is found again. */
async function drop({ table, blobs }: Needs, log: DeployLog): Promise<void> {
  await blobs.delete(deployLogBlob(log))
  await deployLogStore.remove(table, log).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error // another has dropped it, or is at it
  })
}
