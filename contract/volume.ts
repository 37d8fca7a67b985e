import { z } from 'zod'
import { jsonObject, uuid } from './resources.ts'
import { stored } from './stored.ts'

/** Storage of elsewhere that a node boots from: who the node is to it, and which volumes it has. */

export const volumeConnector = z.object({
  ...stored,
  node_uuid: uuid,
  type: z.string().min(1).max(32),
  connector_id: z.string().min(1).max(255),
})
export type VolumeConnector = z.infer<typeof volumeConnector>

export const volumeTarget = z.object({
  ...stored,
  node_uuid: uuid,
  volume_type: z.string().min(1).max(64),
  volume_id: z.string().min(1).max(36),
  boot_index: z.int().nonnegative(),
  properties: jsonObject,
})
export type VolumeTarget = z.infer<typeof volumeTarget>
