import { z } from 'zod'
import { instant, uuid } from './resources.ts'

/** What a ramdisk logged, as a gzipped tar, kept by the cloud for a while. */

export const DEPLOY_LOG_BYTES = 8 * 1024 * 1024
/** The newest of a node, for so many days. */
export const DEPLOY_LOGS_PER_NODE = 10
export const DEPLOY_LOG_DAYS = 30

export const deployLog = z.object({
  uuid,
  node_uuid: uuid,
  /** In which operation: the kind of its plan. */
  operation: z.string().max(64),
  /** When the ramdisk was asked for it. */
  collected_at: instant,
  bytes: z.int().positive().max(DEPLOY_LOG_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Its archive is here, not only announced. */
  stored: z.boolean(),
  created_at: instant,
  updated_at: instant.nullable(),
  version: z.int().positive(),
})
export type DeployLog = z.infer<typeof deployLog>

/** As the API shows it. */
export type DeployLogView = Pick<DeployLog, 'uuid' | 'operation' | 'collected_at' | 'bytes' | 'sha256'> & {
  url: string
}
