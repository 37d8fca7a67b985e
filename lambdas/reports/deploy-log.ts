import { UserError } from '../../contract/api/faults.ts'
import type { DeployLog } from '../../contract/deploy-log.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance } from '../../contract/resources.ts'
import { send } from '../conductor/publish.ts'
import type { Platform } from '../platform.ts'
import { deployLogBlob, deployLogStore, makeRoom } from '../store/deploy-logs.ts'
import { getNode } from '../store/nodes.ts'

type Told = Extract<Report, { kind: 'deploy_log' }>

const URL_SECONDS = 900

/** A site has the logs of a ramdisk and asks where to put them, or has put them there. */
export async function addDeployLog(platform: Platform, appliance: Appliance, report: Told): Promise<void> {
  const node = await getNode(platform.table, report.node)
  if (node?.conductor_group !== appliance.site) return
  const known = await deployLogStore.get(platform.table, report.log)
  if (known && known.node_uuid !== report.node) return
  if (report.phase === 'stored') return known && confirm(platform, known)
  const log = known ?? (await announce(platform, report))
  if (!log || log.stored) return
  const { uuid, bytes: size, sha256 } = log
  const place = await platform.blobs.signPut(deployLogBlob(log), { size, sha256 }, URL_SECONDS)
  await send(platform, appliance.uuid, { v: 1, kind: 'upload', capture: uuid, ...place })
}

async function announce(platform: Platform, report: Told): Promise<DeployLog | undefined> {
  const { node: node_uuid, log: uuid, operation, collected_at, bytes, sha256 } = report
  const created_at = platform.clock.now().toISOString()
  const log = { uuid, node_uuid, operation, collected_at, bytes, sha256, stored: false, created_at }
  const fresh: DeployLog = { ...log, updated_at: null, version: 1 }
  try {
    await deployLogStore.save(platform.table, undefined, fresh)
  } catch (error) {
    // The node is gone, or another delivery of the report came first and has answered it.
    if (error instanceof UserError) return undefined
    throw error
  }
  await makeRoom(platform, node_uuid)
  return fresh
}

async function confirm(platform: Platform, log: DeployLog): Promise<void> {
  if (log.stored) return
  const { table, blobs, clock } = platform
  const there = await blobs.head(deployLogBlob(log))
  if (there?.size !== log.bytes || there.sha256 !== log.sha256) return
  const updated_at = clock.now().toISOString()
  await deployLogStore.save(table, log, { ...log, stored: true, updated_at, version: log.version + 1 })
  platform.log.info({ node: log.node_uuid, log: log.uuid, bytes: log.bytes }, 'deploy log')
}
