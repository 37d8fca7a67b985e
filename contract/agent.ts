/** What an agent and the site's door say to each other: the ironic-python-agent protocol, of which ours is a superset.
 * Objects that a stranger's agent or an unmodified Ironic may extend are loose: unknown keys pass through, known ones
 * are checked and bounded. */
import { z } from 'zod'

/** The agent's API listens here unless `ipa-listen-port` says otherwise. */
export const agentPort = 9999

/** The newest microversions that an agent speaks: the lesser of these and the server's is sent. */
export const lookupMicroversion = '1.62'
export const heartbeatMicroversion = '1.68'

/** A lookup reply shows this in place of a token that another boot of the ramdisk was already given. */
export const maskedToken = '******'
export const minimumTokenLength = 32

const text = z.string().max(4096)
const loose = z.record(z.string().max(255), z.unknown())

export const mac = z
  .string()
  .regex(/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/, 'not a MAC address')
  .transform((address) => address.toLowerCase().replaceAll('-', ':'))

/** GET /v1/lookup?addresses=&node_uuid= Addresses of another kind, such as InfiniBand's of 20 bytes, count for nothing. */
export const lookupQuery = z.object({
  addresses: z
    .string()
    .max(8192)
    .optional()
    .transform((list) => (list ? list.split(',').flatMap((each) => mac.safeParse(each.trim()).data ?? []) : []))
    .pipe(z.array(z.string()).max(100)),
  node_uuid: z.uuid().optional(),
})
export type LookupQuery = z.output<typeof lookupQuery>

export const lookupReply = z.looseObject({
  node: z.looseObject({
    uuid: z.uuid(),
    properties: loose.optional(),
    instance_info: loose.optional(),
    driver_internal_info: loose.optional(),
  }),
  config: z.looseObject({
    heartbeat_timeout: z.number().positive().max(86_400).default(300),
    agent_token: z.string().min(1).max(512),
    agent_token_required: z.boolean().optional(),
    permitted_image_formats: z.array(z.string().max(32)).max(32).optional(),
    tls_min_version: z.enum(['1.2', '1.3']).optional(),
  }),
})
export type LookupReply = z.output<typeof lookupReply>

/** POST /v1/heartbeat/{node}. An empty callback is an installer's (anaconda), which has no API of its own. */
export const heartbeat = z.looseObject({
  callback_url: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(512)]),
  agent_token: z.string().max(512).optional(),
  agent_version: z.string().max(64).optional(),
  agent_verify_ca: z.string().max(16_384).nullish(),
  agent_status: z.enum(['start', 'end', 'error']).nullish(),
  agent_status_message: z.string().max(2048).nullish(),
})
export type Heartbeat = z.output<typeof heartbeat>

/** POST /v1/continue_inspection: an inventory, and beside it what the ramdisk's collectors found. */
export const inspectionPost = z.looseObject({
  inventory: z.looseObject({
    interfaces: z
      .array(z.looseObject({ mac_address: z.string().max(64).nullish() }))
      .min(1)
      .max(256),
    bmc_address: z.string().max(255).nullish(),
  }),
})
export type InspectionPost = z.output<typeof inspectionPost>

/** POST /v1/commands/?wait=&agent_token= */
export const commandRequest = z.looseObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$/, 'not of the form extension.command'),
  params: loose.default({}),
})
export type CommandRequest = z.output<typeof commandRequest>

export const commandStatus = z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'CLEAN_VERSION_MISMATCH'])
export type CommandStatus = z.output<typeof commandStatus>

export const commandError = z.looseObject({
  type: text.optional(),
  code: z.number().int().optional(),
  message: text.optional(),
  details: z.string().max(65_536).optional(),
})
export type CommandError = z.output<typeof commandError>

/** Ours alone, beside Ironic's keys: how far a running command is. `percent` is absent while the total is unknown. */
export const commandProgress = z.object({
  percent: z.number().min(0).max(100).optional(),
  mb_per_second: z.number().min(0),
  bytes: z.number().int().min(0),
})
export type CommandProgress = z.output<typeof commandProgress>

export const commandResult = z.looseObject({
  id: z.string().max(64),
  command_name: z.string().max(64),
  command_status: commandStatus,
  command_error: z.union([commandError, text]).nullable(),
  command_result: loose.nullable(),
  command_progress: commandProgress.optional(),
})
export type CommandResult = z.output<typeof commandResult>

export const commandList = z.looseObject({ commands: z.array(commandResult).max(10_000) })
export type CommandList = z.output<typeof commandList>

/** The body of every error of the agent's API. */
export const agentFault = z.looseObject({ faultcode: text, faultstring: z.string().max(65_536) })
export type AgentFault = z.output<typeof agentFault>

export const agentStatus = z.looseObject({ started_at: z.number(), version: z.string().max(64) })
export type AgentStatus = z.output<typeof agentStatus>

/** A step that a hardware manager offers. */
export const offeredStep = z.looseObject({
  step: z.string().min(1).max(255),
  interface: z.string().min(1).max(64),
  priority: z.number().int().min(0),
  reboot_requested: z.boolean().default(false),
  abortable: z.boolean().default(false),
  argsinfo: z.record(z.string().max(255), z.looseObject({ description: text.optional() })).nullish(),
})
export type OfferedStep = z.output<typeof offeredStep>

const managerVersions = z.record(z.string().max(255), text)
const offers = z.record(z.string().max(255), z.array(offeredStep).max(256))

export const deployStepsResult = z.looseObject({ deploy_steps: offers, hardware_manager_version: managerVersions })
export type DeployStepsResult = z.output<typeof deployStepsResult>

export const cleanStepsResult = z.looseObject({ clean_steps: offers, hardware_manager_version: managerVersions })
export type CleanStepsResult = z.output<typeof cleanStepsResult>

/** A step that the agent is told to execute. */
export const stepCall = z.looseObject({
  step: z.string().min(1).max(255),
  interface: z.string().min(1).max(64),
  args: loose.nullish(),
})
export type StepCall = z.output<typeof stepCall>

/** `args.image_info` of write_image, and of standby.prepare_image. */
export const imageInfo = z.looseObject({
  id: z.string().min(1).max(1024),
  urls: z
    .array(z.url({ protocol: /^https?$/ }).max(8192))
    .min(1)
    .max(16),
  disk_format: z.string().max(32).nullish(),
  container_format: z.string().max(32).nullish(),
  image_type: z.string().max(32).nullish(),
  checksum: z.string().max(8192).nullish(),
  os_hash_algo: z.string().max(16).nullish(),
  os_hash_value: z.string().max(8192).nullish(),
  image_request_authorization: z.string().max(4096).nullish(),
  node_uuid: z.string().max(64).nullish(),
  /** Ours alone: the signed manifest of an image in chunks, which lie beside it. Other agents get the whole disk from `urls`. */
  bloomery_manifest: z
    .object({
      url: z.url({ protocol: /^https?$/ }).max(8192),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      /** Chunks may be had from other agents, and are to be given to them: with this token of the image. */
      peers: z.object({ token: z.string().min(16).max(255) }).nullish(),
    })
    .nullish(),
})
export type ImageInfo = z.output<typeof imageInfo>

/** Parameters that every step command carries: the whole node and its ports, as the server sees them. */
export const nodeParam = z.looseObject({
  uuid: z.string().max(64).optional(),
  properties: loose.nullish(),
  instance_info: loose.nullish(),
  driver_internal_info: loose.nullish(),
})
export type NodeParam = z.output<typeof nodeParam>
