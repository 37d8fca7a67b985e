import { z } from 'zod'
import { MOST_GIB } from '../../contract/block-storage.ts'
import { iscsiName } from '../../contract/boot-volume.ts'

/** What people may write of volumes. */

const text = z.string().max(255).nullish()
export const metadata = z
  .record(z.string().min(1).max(255), z.string().max(255))
  .refine((all) => Object.keys(all).length <= 128, 'at most 128 of them')
const size = z.coerce.number().int().min(1).max(MOST_GIB)

export const volumeCreation = z.object({
  volume: z.looseObject({
    size: size.nullish(),
    name: text,
    description: text,
    volume_type: z.string().max(255).nullish(),
    availability_zone: z.string().max(255).nullish(),
    metadata: metadata.nullish(),
    imageRef: z.string().max(255).nullish(),
    image_id: z.string().max(255).nullish(),
    snapshot_id: z.uuid().nullish(),
    source_volid: z.uuid().nullish(),
    backup_id: z.null('there are no backups: make the volume of a snapshot').optional(),
    consistencygroup_id: z.null('there are no consistency groups').optional(),
    multiattach: z.literal(false, 'a volume is for one machine at a time').nullish(),
  }),
})
export type VolumeCreation = z.infer<typeof volumeCreation>['volume']

/** Older names, which Debian's client still says when it changes them. */
const renamed = z.preprocess(
  (given) => {
    if (typeof given !== 'object' || given === null) return given
    const { display_name: name, display_description: description, ...rest } = given as Record<string, unknown>
    return { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }), ...rest }
  },
  z.looseObject({ name: text, description: text, metadata: metadata.optional() }),
)
export const volumeUpdate = z.object({ volume: renamed })

export const snapshotCreation = z.object({
  snapshot: z.looseObject({
    volume_id: z.uuid(),
    name: text,
    description: text,
    metadata: metadata.nullish(),
    force: z.unknown().optional(),
  }),
})
export const snapshotUpdate = z.object({ snapshot: renamed })

export const snapshotActions = {
  'os-reset_status': z.looseObject({ status: z.enum(['available', 'error']) }),
} as const

/** What a client tells of the machine that is to have the volume: only its initiator counts here. */
export const connector = z.looseObject({
  initiator: iscsiName,
  host: z.string().max(255).nullish(),
  mountpoint: z.string().max(255).nullish(),
})
export type Connector = z.infer<typeof connector>

/** cinderclient sends an empty one for none. */
const noConnector = z.strictObject({})
export const attachmentCreation = z.object({
  attachment: z.looseObject({
    volume_uuid: z.uuid(),
    instance_uuid: z.uuid().nullish(),
    connector: z.union([noConnector, connector]).nullish(),
    mode: z.enum(['rw', 'null'], 'volumes are attached for reading and writing').nullish(),
  }),
})
export const attachmentUpdate = z.object({ attachment: z.looseObject({ connector }) })

export const typeCreation = z.object({
  volume_type: z.looseObject({
    name: z.string().trim().min(1).max(255),
    description: text,
    'os-volume-type-access:is_public': z.boolean().optional(),
    extra_specs: metadata.optional(),
  }),
})
export const typeUpdate = z.object({
  volume_type: z.looseObject({
    name: z.string().trim().min(1).max(255).optional(),
    description: text,
    is_public: z.boolean().optional(),
  }),
})

export const typeAccess = z.looseObject({ project: z.string().min(1).max(64) })

const nothing = z.unknown()
/** One at a time: which, and its arguments. */
export const actions = {
  'os-reserve': nothing,
  'os-unreserve': nothing,
  'os-begin_detaching': nothing,
  'os-roll_detaching': nothing,
  'os-attach': z.looseObject({
    instance_uuid: z.uuid().nullish(),
    host_name: z.string().max(255).nullish(),
    mountpoint: z.string().max(255).nullish(),
  }),
  'os-detach': z.looseObject({ attachment_id: z.uuid().nullish() }).nullish(),
  'os-force_detach': z.looseObject({ attachment_id: z.uuid().nullish() }).nullish(),
  'os-initialize_connection': z.looseObject({ connector }),
  'os-terminate_connection': z.looseObject({ connector: z.looseObject({ initiator: z.string().max(223).optional() }) }),
  'os-update_readonly_flag': z.looseObject({
    readonly: z.literal(false, 'volumes are for reading and writing'),
  }),
  'os-set_bootable': z.looseObject({ bootable: z.union([z.boolean(), z.stringbool()]) }),
  'os-extend': z.looseObject({ new_size: size }),
  'os-force_delete': nothing,
  'os-reset_status': z.looseObject({ status: z.enum(['available', 'error', 'in-use']) }),
} as const
export type Action = keyof typeof actions
