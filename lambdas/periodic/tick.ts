import type { Importer } from '../image-service/importer.ts'
import type { Platform } from '../platform.ts'
import { collectChunks } from './chunks.ts'
import { resumeAllocations } from './allocations.ts'
import { relieveAppliances } from './appliances.ts'
import { warnOfCertificates } from './certificates.ts'
import { expireDeployLogs } from '../store/deploy-logs.ts'
import { wakeImports } from './image-imports.ts'
import { expireNodes } from './nodes.ts'
import { tendFreeNodes } from './free-nodes.ts'
import { wakeServers } from './servers.ts'
import { expireTokens } from './tokens.ts'
import { republishCommands } from './commands.ts'
import { seeToVolumes } from './volumes.ts'
import { wakeCouriers } from './webhooks.ts'

/** What time alone makes necessary. Reads only what is due, never all there is; running twice at once is harmless. */
export async function tick(platform: Platform, importer?: Importer): Promise<void> {
  const results = await Promise.allSettled([
    expireNodes(platform),
    republishCommands(platform),
    resumeAllocations(platform),
    wakeServers(platform),
    seeToVolumes(platform),
    expireTokens(platform),
    expireDeployLogs(platform),
    wakeCouriers(platform),
    collectChunks(platform),
    relieveAppliances(platform),
    warnOfCertificates(platform),
    tendFreeNodes(platform),
    importer && wakeImports(platform, importer),
  ])
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (errors.length > 0) throw new AggregateError(errors, 'periodic work failed')
}
