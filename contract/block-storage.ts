import { z } from 'zod'
import { iscsiName } from './boot-volume.ts'
import { imageReference } from './plan-sources.ts'
import { uuid } from './resources.ts'
import { sealed } from './seal.ts'

/** Volumes of the volume service: what a site is told of one, and what the table keeps. Names are Cinder's, but for `uuid`. */

export const MOST_GIB = 65_536
export const MOST_SNAPSHOTS = 64
export const MOST_ATTACHMENTS = 16

/** All that a site shall have of one volume. It is made so from whatever is there: a newer one makes older ones needless. */
export const wantedVolume = z.object({
  gib: z.int().min(1).max(MOST_GIB),
  /** What it begins with, when it is made; null: nothing. */
  source: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('image'), image: imageReference }),
      z.object({ kind: z.literal('volume'), volume: uuid }),
      z.object({ kind: z.literal('snapshot'), volume: uuid, snapshot: uuid }),
    ])
    .nullable(),
  snapshots: z.array(uuid).max(MOST_SNAPSHOTS),
  /** Who may log in, each with a secret that is sealed to the site; bound to `volume/attachment`. */
  exports: z.array(z.object({ attachment: uuid, initiator: iscsiName, secret: sealed })).max(MOST_ATTACHMENTS),
})
export type WantedVolume = z.infer<typeof wantedVolume>

export const exportedVolume = z.object({
  attachment: uuid,
  target_iqn: z.string().max(223),
  /** `address:port`. */
  target_portal: z.string().max(64),
  target_lun: z.int().nonnegative(),
})
export type ExportedVolume = z.infer<typeof exportedVolume>

/** What an appliance's disk has for volumes. */
export const volumeRoom = z.object({ gib: z.int().positive(), free_gib: z.int().nonnegative() })
export type VolumeRoom = z.infer<typeof volumeRoom>

interface Kept {
  uuid: string
  created_at: string
  updated_at: string | null
  version: number
}

export const volumeStatuses = [
  'creating',
  'available',
  'reserved',
  'attaching',
  'in-use',
  'detaching',
  'extending',
  'awaiting-transfer',
  'deleting',
  'error',
  'error_deleting',
  'error_extending',
] as const
export type VolumeStatus = (typeof volumeStatuses)[number]

export interface VolumeSnapshot {
  uuid: string
  name: string | null
  description: string | null
  metadata: Record<string, string>
  size: number
  status: 'creating' | 'available' | 'deleting' | 'error'
  created_at: string
  updated_at: string | null
}

export interface VolumeAttachment {
  uuid: string
  /** Of the compute service; null: somebody else's. */
  server: string | null
  status: 'reserved' | 'attaching' | 'attached' | 'detaching'
  mode: 'rw'
  /** Who logs in: `initiator`, and what else the client told of itself. Null: not known yet. */
  connector: { initiator: string; host: string | null; mountpoint: string | null } | null
  secret: z.infer<typeof sealed> | null
  /** Where the site has it; null: not yet. */
  exported: Omit<ExportedVolume, 'attachment'> | null
  attached_at: string | null
}

/** A volume with all that is of it, so that one conditional write decides. */
export interface Volume extends Kept {
  name: string | null
  description: string | null
  project_id: string
  user_id: string
  size: number
  /** While it is extended. */
  former_size: number | null
  metadata: Record<string, string>
  bootable: boolean
  /** Of the image that it was made from. */
  image: { uuid: string; name: string } | null
  source: { kind: 'volume' | 'snapshot'; volume: string; snapshot?: string } | null
  type: { uuid: string; name: string } | null
  status: VolumeStatus
  /** What is wrong, as far as it went wrong. */
  fault: string | null
  /** The site; null: any. */
  availability_zone: string | null
  /** That waits for it to be made; null: none. */
  for_server: string | null
  /** On whose disk it is; null: not yet anywhere. */
  appliance: string | null
  snapshots: VolumeSnapshot[]
  attachments: VolumeAttachment[]
  /** To whoever has its key; absent: to nobody. */
  transfer?: VolumeTransfer
  /** Of what the site is to have; up to which it was told, and has said that it is done or can't be. */
  generation: number
  ordered: number
  settled: number
  /** When to give up on the site. */
  deadline: string | null
}

export interface VolumeTransfer {
  uuid: string
  name: string | null
  /** Of its key. */
  sha256: string
  created_at: string
}

export interface VolumeType extends Kept {
  name: string
  description: string | null
  is_public: boolean
  extra_specs: Record<string, string>
  /** Projects that may use one that isn't public. */
  access?: string[]
}

export const mayUseType = ({ is_public, access = [] }: VolumeType, project: string | undefined): boolean =>
  is_public || (project !== undefined && access.includes(project))
