import { z } from 'zod'
import { bootModes, digest, diskLayout, sourceFormats } from './images/manifest.ts'
import { isProvisionState, type ProvisionState } from './provision.ts'

/** What the table stores and the API shows, in Ironic's names. Times are ISO 8601 in UTC; absent values are null, never undefined. */

export const uuid = z.uuid('Expected UUID')
export const macAddress = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'Expected valid MAC address')
export const instant = z.iso.datetime({ offset: true })
export const jsonObject = z.record(z.string().max(255), z.unknown())
export const provisionState = z.custom<ProvisionState>(
  (value) => typeof value === 'string' && isProvisionState(value),
  'not a provision state',
)
export const powerState = z.enum(['power on', 'power off', 'rebooting', 'error'])
export type PowerState = z.infer<typeof powerState>
export const powerTarget = z.enum(['power on', 'power off', 'rebooting', 'soft rebooting', 'soft power off'])
export type PowerTarget = z.infer<typeof powerTarget>
export const bootDevice = z.enum(['pxe', 'disk', 'cdrom', 'bios', 'safe', 'wanboot', 'iscsiboot', 'floppy', 'uefihttp'])
export type BootDevice = z.infer<typeof bootDevice>
/** Site names are conductor groups: Ironic stores those in lower case. */
export const siteName = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,254}$/, 'letters, digits, and - _ . only')

/** One running operation on a node. `ordinal` is the number of the last report applied: older ones change nothing. */
export const operation = z.object({
  plan: uuid,
  kind: z.string(),
  generation: z.int().positive(),
  appliance: uuid,
  ordinal: z.int().nonnegative(),
  phase: z.enum(['sent', 'accepted', 'running', 'waiting', 'held']),
  /** Index into the plan's steps, and how many there are. */
  step: z.int().nonnegative(),
  steps: z.int().positive(),
  /** `interface.step` of each, in order. */
  names: z.array(z.string().max(300)).max(256),
  percent: z.number().min(0).max(100).nullable(),
  /** One sentence of the site about what it does or waits for. */
  note: z.string().max(1024).nullable(),
  since: instant,
  /** What the site saw of the machine's boot; absent before it saw any. */
  boot: z.array(z.object({ at: instant, seen: z.string(), times: z.int().positive() })).optional(),
})
export type Operation = z.infer<typeof operation>

export const node = z.object({
  uuid,
  name: z.string().max(255).nullable(),
  driver: z.string().max(255),
  /** Secrets in here are sealed objects (contract/seal.ts), never text. */
  driver_info: jsonObject,
  driver_internal_info: jsonObject,
  properties: jsonObject,
  instance_info: jsonObject,
  instance_uuid: uuid.nullable(),
  instance_name: z.string().max(255).nullable(),
  extra: jsonObject,
  chassis_uuid: uuid.nullable(),
  resource_class: z.string().max(80).nullable(),
  owner: z.string().max(255).nullable(),
  lessee: z.string().max(255).nullable(),
  description: z.string().max(4096).nullable(),
  /** The site; '' where none was named. */
  conductor_group: z.string().max(255),
  shard: z.string().max(255).nullable(),
  parent_node: uuid.nullable(),
  network_data: jsonObject,
  automated_clean: z.boolean().nullable(),
  maintenance: z.boolean(),
  maintenance_reason: z.string().nullable(),
  disable_power_off: z.boolean(),
  protected: z.boolean(),
  protected_reason: z.string().nullable(),
  retired: z.boolean(),
  retired_reason: z.string().nullable(),
  bios_interface: z.string().nullable(),
  boot_interface: z.string().nullable(),
  console_interface: z.string().nullable(),
  deploy_interface: z.string().nullable(),
  firmware_interface: z.string().nullable(),
  inspect_interface: z.string().nullable(),
  management_interface: z.string().nullable(),
  network_interface: z.string().nullable(),
  power_interface: z.string().nullable(),
  raid_interface: z.string().nullable(),
  rescue_interface: z.string().nullable(),
  storage_interface: z.string().nullable(),
  vendor_interface: z.string().nullable(),
  boot_mode: z.enum(['uefi', 'bios']).nullable(),
  secure_boot: z.boolean().nullable(),
  console_enabled: z.boolean(),
  traits: z.array(z.string().max(255)).max(50),
  raid_config: jsonObject,
  target_raid_config: jsonObject,
  power_state: powerState.nullable(),
  target_power_state: powerTarget.nullable(),
  provision_state: provisionState,
  target_provision_state: provisionState.nullable(),
  provision_updated_at: instant.nullable(),
  last_error: z.string().nullable(),
  fault: z.string().nullable(),
  clean_step: jsonObject,
  deploy_step: jsonObject,
  service_step: jsonObject,
  inspection_started_at: instant.nullable(),
  inspection_finished_at: instant.nullable(),
  allocation_uuid: uuid.nullable(),
  health: z.enum(['OK', 'Warning', 'Critical']).nullable(),
  created_at: instant,
  updated_at: instant.nullable(),

  // From here on: ours, not shown by Ironic's API.
  /** Counts writes: every write is conditional on it. */
  version: z.int().positive(),
  /** Counts operations started on this node, in any lane. A site obeys only a generation newer than any it has seen. */
  generation: z.int().nonnegative(),
  /** The provision lane: the plan that moves `provision_state`. Null while a new one is still to be planned. */
  operation: operation.nullable(),
  /** The power lane: power and boot device changes that people ask for. */
  power_operation: operation.nullable(),
  /** The appliance that looks after it between operations, being the last that was told of it; null: none was. Absent on nodes from before
   * this was kept: any of the site may have been. */
  keeper: uuid.nullable().optional(),
  /** Among which nodes of its site it is counted (lambdas/store/free-nodes.ts); absent: among none yet. */
  counted_as: z.string().max(300).optional(),
  /** When the transient state runs out. */
  deadline: instant.nullable(),
  /** Key of the blob that holds the rendered config drive. */
  config_drive: z.string().nullable(),
  boot_device: z.object({ boot_device: bootDevice, persistent: z.boolean() }).nullable(),
})
export type Node = z.infer<typeof node>

export const port = z.object({
  uuid,
  address: macAddress,
  node_uuid: uuid,
  portgroup_uuid: uuid.nullable(),
  name: z.string().max(255).nullable(),
  description: z.string().max(255).nullable(),
  extra: jsonObject,
  internal_info: jsonObject,
  local_link_connection: jsonObject,
  pxe_enabled: z.boolean(),
  physical_network: z.string().max(64).nullable(),
  is_smartnic: z.boolean(),
  vendor: z.string().max(32).nullable(),
  category: z.string().max(80).nullable(),
  available_for_dynamic_portgroup: z.boolean(),
  created_at: instant,
  updated_at: instant.nullable(),
  version: z.int().positive(),
})
export type Port = z.infer<typeof port>

export const site = z.object({
  name: siteName,
  description: z.string().max(4096).nullable(),
  created_at: instant,
  version: z.int().positive(),
})
export type Site = z.infer<typeof site>

/** Shown as a conductor: `hostname` is `name`, `conductor_group` is `site`, `alive` follows from `last_seen`. */
export const appliance = z.object({
  uuid,
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/),
  site: siteName,
  /** X25519 public key, raw, base64: what secrets are sealed to. */
  sealing_key: z.base64().length(44),
  certificate_sha256: z.string(),
  /** Until when that certificate is to be used; absent: it is from before certificates were renewed. */
  certificate_expires_at: instant.optional(),
  software: z.string().nullable(),
  /** What it said at its last hello that it knows, of what not every appliance does; absent: nothing. */
  features: z.array(z.string()).optional(),
  created_at: instant,
  last_seen: instant.nullable(),
  /** GiB that it has promised room for, and that its disk has free, where it has volumes. */
  volumes: z.object({ gib: z.int().positive(), free_gib: z.int().nonnegative() }).optional(),
  version: z.int().positive(),
})
export type Appliance = z.infer<typeof appliance>

/** What is known of an image in chunks: its signed manifest as stored, and what lists show of it. */
export const imageFacts = z.object({
  sha256: digest,
  size: z.int().positive(),
  /** Bytes that its chunks take, each counted once. */
  stored_size: z.int().nonnegative(),
  source_format: z.enum(sourceFormats),
  boot_modes: bootModes,
  table: diskLayout.shape.table,
  /** Of the key that signed it. */
  key: z.string().nullable(),
})

export const image = z.object({
  uuid,
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/),
  state: z.enum(['queued', 'active']),
  size: z.int().positive(),
  disk_format: z.enum(['raw', 'qcow2']),
  os_hash_algo: z.enum(['sha256', 'sha512']),
  os_hash_value: z.string().regex(/^[0-9a-f]{64}([0-9a-f]{64})?$/),
  /** Of an image that is kept in chunks. */
  manifest: imageFacts.optional(),
  /** After which it is deleted, unless a node names it; absent or null: never. */
  expires_at: instant.nullable().optional(),
  created_at: instant,
  updated_at: instant.nullable(),
  version: z.int().positive(),
})
export type Image = z.infer<typeof image>

export const historyEntry = z.object({
  uuid,
  node_uuid: uuid,
  created_at: instant,
  severity: z.enum(['INFO', 'ERROR']),
  event_type: z.string(),
  event: z.string(),
  conductor: z.string().nullable(),
  user: z.string().nullable(),
  /** In whose name the user did it. */
  project: z.string().nullable(),
  /** The provision state in which the node was, where it was going, and how long it had been in it. Entries from before lack them. */
  state: provisionState.nullable().optional(),
  target_provision_state: z.string().nullable().optional(),
  duration_seconds: z.int().min(0).nullable().optional(),
  /** Ours: the node (or webhook) at that moment, for those who listen to events. Entries from before there were any lack it. */
  about: z
    .object({
      name: z.string().nullable(),
      site: z.string(),
      owner: z.string().nullable(),
      lessee: z.string().nullable(),
      from: provisionState.nullable(),
      to: provisionState.nullable(),
    })
    .optional(),
})
export type HistoryEntry = z.infer<typeof historyEntry>
