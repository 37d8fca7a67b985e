import { isUtf8 } from 'node:buffer'
import { isIP } from 'node:net'
import { z } from 'zod'
import { MOST_DATA_VOLUMES } from '../../contract/boot-volume.ts'

/** What people may write of servers. */

const name = z.string().trim().min(1).max(255)
const description = z.string().max(255).nullish()
/** What Nova lets a server have unless told. */
const MOST_METADATA = 128
export const metadata = z
  .record(z.string().min(1).max(255), z.string().max(255))
  .refine(
    (given) => Object.keys(given).length <= MOST_METADATA,
    `a server has at most ${MOST_METADATA} items of metadata`,
  )
export const metadataOnly = z.object({ metadata })
export const metaOnly = z.object({ meta: metadata })
const userData = z
  .base64('user_data: not base64')
  .max(65_535)
  .refine((text) => isUtf8(Buffer.from(text, 'base64')), 'user_data: not UTF-8 text')
  .nullish()
/** RFC 1123 §2.1. Whether it may have a domain, `requireHostnames` knows. */
const hostname = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i,
    'hostname: labels of 1 to 63 letters, digits and dashes, none of them with a dash at an end',
  )
const reached = (version: 4 | 6) =>
  z.string().refine((text) => text === '' || isIP(text) === version, `not an IPv${version} address`)
const access = { accessIPv4: reached(4).optional(), accessIPv6: reached(6).optional() }
const nic = z.strictObject({
  uuid: z.uuid().optional(),
  port: z.uuid().optional(),
  fixed_ip: z
    .string()
    .refine((text) => isIP(text) !== 0, 'not an IP address')
    .optional(),
  tag: z.string().max(60).optional(),
})
/** Nova's block devices. A machine boots from its own disk, which the image is written to, or from the volume with boot index 0; others are data. */
const volumeDisk = {
  boot_index: z.coerce.number().int().min(-1).max(MOST_DATA_VOLUMES).nullish(),
  destination_type: z.literal('volume'),
  delete_on_termination: z.boolean().default(false),
  volume_size: z.coerce.number().int().positive().nullish(),
  volume_type: z.string().max(255).nullish(),
}
const blockDevice = z.union(
  [
    z.looseObject({ source_type: z.literal('image'), destination_type: z.literal('local').optional() }),
    z.looseObject({ ...volumeDisk, source_type: z.literal('blank'), uuid: z.null().optional() }),
    z.looseObject({ ...volumeDisk, source_type: z.enum(['image', 'volume', 'snapshot']), uuid: z.string().max(255) }),
  ],
  'it is an image on the local disk, or an image, a volume, a snapshot or a blank as a volume; machines have no other disks to be made',
)
export type VolumeDisk = Extract<z.infer<typeof blockDevice>, { destination_type: 'volume' }>

/** Nova's: no comma and no slash, since they stand in lists and paths. */
export const tag = z.string().regex(/^[^,/]{1,60}$/, 'a tag is 1 to 60 characters without comma or slash')
export const tags = z.array(tag).max(50)
export const hints = z.record(z.string().max(255), z.unknown())

export const creation = z.object({
  server: z.strictObject({
    name,
    description,
    imageRef: z.string().max(255).optional(),
    flavorRef: z.union([z.string(), z.int()]).transform(String),
    key_name: z.string().max(255).nullish(),
    metadata: metadata.default({}),
    user_data: userData,
    networks: z.union([z.enum(['auto', 'none']), z.array(nic).max(8)]).optional(),
    availability_zone: z.string().max(255).nullish(),
    min_count: z.coerce.number().int().min(1).max(100).default(1),
    max_count: z.coerce.number().int().min(1).max(100).optional(),
    config_drive: z.unknown().optional(),
    block_device_mapping_v2: z
      .array(blockDevice)
      .max(MOST_DATA_VOLUMES + 1)
      .optional(),
    security_groups: z.array(z.object({ name: z.string() })).optional(),
    return_reservation_id: z.boolean().optional(),
    adminPass: z.string().max(255).optional(),
    'OS-DCF:diskConfig': z.enum(['AUTO', 'MANUAL']).optional(),
    ...access,
    personality: z.array(z.unknown()).max(0, 'files are injected by user_data').optional(),
    tags: tags.default([]),
    host: z.null().optional(),
    hypervisor_hostname: z.null().optional(),
    hostname: hostname.optional(),
    trusted_image_certificates: z.null().optional(),
  }),
  'OS-SCH-HNT:scheduler_hints': hints.optional(),
  'os:scheduler_hints': hints.optional(),
})
export type ServerCreation = z.infer<typeof creation>['server']

const changeable = { name: name.optional(), hostname: hostname.optional(), description, ...access }
export const update = z.object({ server: z.looseObject(changeable) })
export type ServerUpdate = z.infer<typeof update>['server']

const nothing = z.unknown()
const securityGroup = z.looseObject({ name: z.string().min(1).max(255) })
/** One at a time: which, and its arguments. */
export const actions = {
  reboot: z.object({ type: z.enum(['SOFT', 'HARD']) }),
  'os-start': nothing,
  'os-stop': nothing,
  rebuild: z.looseObject({
    ...changeable,
    imageRef: z.string().max(255),
    metadata: metadata.optional(),
    key_name: z.string().max(255).nullish(),
    user_data: userData,
  }),
  rescue: z
    .looseObject({ adminPass: z.string().min(1).max(255).optional(), rescue_image_ref: z.uuid().optional() })
    .nullish(),
  unrescue: nothing,
  lock: z.looseObject({ locked_reason: z.string().max(255).optional() }).nullish(),
  unlock: nothing,
  'os-getConsoleOutput': z.looseObject({ length: z.coerce.number().int().min(-1).nullish() }),
  'os-getSerialConsole': z.looseObject({ type: z.string().max(64).default('serial') }),
  trigger_crash_dump: nothing,
  'os-resetState': z.looseObject({ state: z.enum(['active', 'error']) }),
  addSecurityGroup: securityGroup,
  removeSecurityGroup: securityGroup,
} as const
export type Action = keyof typeof actions

const moved = 'a server stays on its machine, whose size is what it is: make another one, and delete this one'
const frozen = 'a machine without a hypervisor runs or is off: stop it'
const copied = 'nothing reads the disks of a running machine: make the image elsewhere, and push it'
/** What Nova knows and no bare metal can do, and why. */
export const refusals: Readonly<Record<string, string>> = {
  resize: moved,
  confirmResize: moved,
  revertResize: moved,
  migrate: moved,
  'os-migrateLive': moved,
  evacuate: moved,
  pause: frozen,
  unpause: frozen,
  suspend: frozen,
  resume: frozen,
  shelve: frozen,
  shelveOffload: frozen,
  unshelve: frozen,
  createImage: copied,
  createBackup: copied,
  changePassword: 'there is no agent in the guest: log in with the key pair, or rescue it',
  restore: 'what is deleted is gone',
  forceDelete: 'delete does all of it',
  addFloatingIp: 'no site has a gateway driver',
  removeFloatingIp: 'no site has a gateway driver',
  'os-getVNCConsole': 'there are no graphical consoles, only serial ones',
  'os-getSPICEConsole': 'there are no graphical consoles, only serial ones',
  'os-getRDPConsole': 'there are no graphical consoles, only serial ones',
  'os-getMKSConsole': 'there are no graphical consoles, only serial ones',
}
