import type { DeployLogView } from '../../contract/deploy-log.ts'
import type { Platform } from '../platform.ts'
import { deployLogBlob, deployLogsOf } from '../store/deploy-logs.ts'
import type { Api } from './context.ts'
import { nodeOf } from './find.ts'

const URL_SECONDS = 900

/** GET /v1/nodes/{ident}/deploy_logs: ours. What ramdisks of the node logged, the newest first. */
export function deployLogRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/deploy_logs', async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const stored = (await deployLogsOf(platform.table, node.uuid)).filter((log) => log.stored)
    const deploy_logs = await Promise.all(
      stored.toReversed().map(async (log): Promise<DeployLogView> => {
        const { uuid, operation, collected_at, bytes, sha256 } = log
        const url = await platform.blobs.signGet(deployLogBlob(log), URL_SECONDS)
        return { uuid, operation, collected_at, bytes, sha256, url }
      }),
    )
    return call.json({ deploy_logs })
  })
}
