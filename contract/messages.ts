import { z } from 'zod'
import { certificateTold, renewed } from './appliance-certificate.ts'
import { exportedVolume, volumeRoom, wantedVolume } from './block-storage.ts'
import { BOOT_MARKS, bootMark } from './boot-mark.ts'
import { capture, captureRequest } from './capture.ts'
import { consoleAsk, consoleChunk, logPart, screen } from './console.ts'
import { hardwareFacts } from './hardware-facts.ts'
import { healthCause, healthLevel, logLine, MOST_CAUSES, MOST_LINES } from './health.ts'
import { deployLog } from './deploy-log.ts'
import { answer } from './answer.ts'
import { prefetchProgress } from './images/prefetch.ts'
import { blobReference, imageReference } from './plan-sources.ts'
import { lane, machine, plan } from './plan.ts'
import { bootDevice, instant, jsonObject, macAddress, powerState, uuid } from './resources.ts'
import { sealed } from './seal.ts'
import { tenantPort } from './tenant-port.ts'

/** What crosses the WAN, version 1. Every message of a published version stays readable: contract/golden/v1 holds one of each kind. */

export const MESSAGE_LIMIT = 64 * 1024

const commandBase = {
  id: uuid,
  /** Counts the commands of one appliance from 1, without gaps. */
  seq: z.int().positive(),
  node: uuid,
  generation: z.int().positive(),
  issued_at: instant,
  /** A command that was not accepted by then is refused: the cloud has given up on it. */
  deadline: instant,
}

/** `plan` travels inside the message while it fits; larger ones by reference. */
export const command = z.discriminatedUnion('kind', [
  z.object({ ...commandBase, kind: z.literal('run'), plan: z.union([plan, blobReference]) }),
  /** Stop the plan of this generation after the step in progress, leave the machine off. */
  z.object({ ...commandBase, kind: z.literal('cancel'), lane, reason: z.string().max(1024) }),
  /** Go on after the `hold` that is this step of the plan of this generation. */
  z.object({ ...commandBase, kind: z.literal('unhold'), lane, step: z.int().nonnegative() }),
  /** The node was deleted: drop all that is known of it. */
  z.object({ ...commandBase, kind: z.literal('forget') }),
  /** Look after this machine, as it is now, between its plans. */
  z.object({ ...commandBase, kind: z.literal('watch'), machine }),
  /** Another appliance looks after the node from this generation on: drop all that is known of it, unless it has come back meanwhile. */
  z.object({ ...commandBase, kind: z.literal('release') }),
  /** Whether the machine's console is to be had open, and recorded, all the time; `machine`: as it is now. */
  z.object({ ...commandBase, kind: z.literal('console'), enabled: z.boolean(), machine: machine.optional() }),
  /** Record what these cards of the machine send and are sent, whatever plan is under way. */
  z.object({
    ...commandBase,
    ...captureRequest.shape,
    kind: z.literal('capture'),
    capture: uuid,
    macs: z.array(macAddress).min(1).max(64),
  }),
  /** `node` is the volume's uuid here, and `generation` counts what was wanted of it. Null: it is to be gone. */
  z.object({ ...commandBase, kind: z.literal('volume'), wanted: wantedVolume.nullable() }),
  /** `node` is the port's uuid here, and `generation` counts what was said of it. Null: it is no machine's any more. */
  z.object({ ...commandBase, kind: z.literal('tenant_port'), wanted: tenantPort.nullable() }),
])
export type Command = z.infer<typeof command>
export type CommandKind = Command['kind']

/** Cloud → appliance. `urls` maps blob keys of the commands to signed URLs, made when this message was and never stored. */
export const downlink = z.discriminatedUnion('kind', [
  z.object({
    v: z.literal(1),
    kind: z.literal('commands'),
    commands: z.array(command).min(1).max(100),
    urls: z.record(z.string(), z.url()),
    /** The smallest number that the cloud still stores: all below it were received once, though perhaps by a disk that is gone. */
    stored_from: z.int().positive(),
  }),
  /** Fresh URLs, as asked for by `refresh`. */
  z.object({ v: z.literal(1), kind: z.literal('urls'), urls: z.record(z.string(), z.url()) }),
  /** Where a capture that was reported as `captured`, or a `deploy_log` that is `ready`, may be put, with these headers. */
  z.object({
    v: z.literal(1),
    kind: z.literal('upload'),
    capture: uuid,
    url: z.url({ protocol: /^https?$/ }).max(4096),
    headers: z.record(z.string().max(64), z.string().max(1024)),
  }),
  /** Of a machine's console; of the moment, so that nothing repeats it. */
  z.object({ v: z.literal(1), kind: z.literal('console'), node: uuid, ask: consoleAsk }),
  /** An image to fetch before a deploy wants it; null: it is wanted no more. Of the moment, too. */
  z.object({
    v: z.literal(1),
    kind: z.literal('prefetch'),
    image: uuid,
    wanted: imageReference.nullable(),
    urls: z.record(z.string(), z.url()),
  }),
  /** The cloud has every report up to this number. */
  z.object({ v: z.literal(1), kind: z.literal('received'), reports_through: z.int().nonnegative() }),
  renewed,
])
export type Downlink = z.infer<typeof downlink>

const reportBase = {
  id: uuid,
  /** Counts the reports of one appliance from 1, without gaps. */
  seq: z.int().positive(),
  at: instant,
}

/** Where a plan stands. Each says the whole state, so that a later one makes an earlier one needless. */
export const progress = z.object({
  ...reportBase,
  kind: z.literal('progress'),
  node: uuid,
  generation: z.int().positive(),
  lane,
  plan: uuid,
  /** Counts the progress reports of this plan from 1. */
  ordinal: z.int().positive(),
  phase: z.enum(['accepted', 'running', 'waiting', 'held', 'done', 'failed', 'refused']),
  step: z.int().nonnegative(),
  percent: z.number().min(0).max(100).nullable(),
  /** failed/refused: the error, whole sentence; else what is being done. */
  note: z.string().max(4096).nullable(),
  power_state: powerState.nullable(),
  boot_device: z.object({ boot_device: bootDevice, persistent: z.boolean() }).nullable(),
  /** done/failed: seconds of each step that ran, in order. */
  seconds: z.array(z.number().nonnegative()).max(512),
  /** What the site saw of the machine's boot since this plan began, oldest first. */
  boot: z.array(bootMark).max(BOOT_MARKS).optional(),
  /** failed: what the machine's console showed then, line by line. */
  screen: screen.optional(),
})
export type Progress = z.infer<typeof progress>

export const report = z.discriminatedUnion('kind', [
  progress,
  /** The BMC says another power state than was last reported. */
  z.object({ ...reportBase, kind: z.literal('power'), node: uuid, power_state: powerState }),
  /** A BMC has failed for so long that people should know, said again every half hour; or it works again. */
  z.object({
    ...reportBase,
    kind: z.literal('bmc'),
    node: uuid,
    answers: z.boolean(),
    /** Of its node, as a sentence goes on: `its BMC did not answer 4 times in 6 min: …`. */
    text: z.string().min(1).max(1024),
  }),
  /** What an inspection found, in the words of ironic-python-agent's inventory. */
  z.object({
    ...reportBase,
    kind: z.literal('inventory'),
    node: uuid,
    generation: z.int().positive(),
    plan: uuid,
    inventory: jsonObject,
    /** What else an agent posted beside it. */
    plugin_data: jsonObject.optional(),
  }),
  /** What a BMC says of its machine, as far as the plan read it. */
  z.object({
    ...reportBase,
    kind: z.literal('hardware'),
    node: uuid,
    generation: z.int().positive(),
    plan: uuid,
    facts: hardwareFacts,
  }),
  /** What people at the site should look at, of a node or of the site itself: a boot URL used after its boot, another DHCP server. */
  z.object({
    ...reportBase,
    kind: z.literal('notice'),
    subject: z.enum(['boot url', 'dhcp server', 'reports', 'kexec', 'certificate']),
    node: uuid.optional(),
    text: z.string().min(1).max(1024),
  }),
  /** A new secret of driver_info, made at the site and sealed to it. */
  z.object({
    ...reportBase,
    kind: z.literal('secret'),
    node: uuid,
    generation: z.int().positive(),
    plan: uuid,
    key: z.string().max(255),
    value: sealed,
  }),
  /** Of a question that somebody waits for the answer of; of the moment, and gone with the reply. */
  z.object({
    ...reportBase,
    kind: z.literal('answer'),
    node: uuid,
    generation: z.int().positive(),
    plan: uuid,
    answer,
  }),
  /** A command was of a kind, or had a content, that this appliance's software does not know: nothing was done. */
  z.object({
    ...reportBase,
    kind: z.literal('refused'),
    node: uuid,
    generation: z.int().positive(),
    command: z.string().max(64),
    /** Of the appliance, as a sentence goes on: `(software 0.1.0) does not know the command "turn": update it`. */
    text: z.string().min(1).max(1024),
  }),
  /** The BMC has a certificate that only its SHA-256 fingerprint tells from others', from now on. */
  z.object({
    ...reportBase,
    kind: z.literal('certificate'),
    node: uuid,
    generation: z.int().positive(),
    plan: uuid,
    fingerprint: z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  }),
  /** Where a capture stands. `captured` asks for a place to put its file. */
  z.object({
    ...reportBase,
    kind: z.literal('capture'),
    node: uuid,
    capture: uuid,
    phase: z.enum(['running', 'captured', 'done', 'failed']),
    packets: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
    sha256: capture.shape.sha256,
    /** captured/done: what ended it; failed: the error, whole sentence. */
    note: capture.shape.note,
  }),
  /** What a machine's ramdisk logged. `ready` asks for a place to put the archive. */
  z.object({
    ...reportBase,
    kind: z.literal('deploy_log'),
    node: uuid,
    log: uuid,
    phase: z.enum(['ready', 'stored']),
    operation: deployLog.shape.operation,
    collected_at: instant,
    bytes: deployLog.shape.bytes,
    sha256: deployLog.shape.sha256,
  }),
  /** How the machine's hardware does, when that changed or its BMC logged something: all that is not well, and what the log has that was not
   * told before. Readings stay at the site. */
  z.object({
    ...reportBase,
    kind: z.literal('health'),
    node: uuid,
    health: healthLevel,
    causes: z.array(healthCause).max(MOST_CAUSES),
    log: z.array(logLine).max(MOST_LINES),
    /** Entries of the log that were too many to tell. */
    log_left_out: z.int().positive().optional(),
  }),
  /** A machine that no node's port knows booted the ramdisk, and this is what it is made of. `node`: what the site called it. */
  z.object({
    ...reportBase,
    kind: z.literal('discovered'),
    node: uuid,
    inventory: jsonObject,
    plugin_data: jsonObject.optional(),
  }),
  /** Of a volume, `node` being its uuid: it is as this generation wants it, or why not. */
  z.object({
    ...reportBase,
    kind: z.literal('volume'),
    node: uuid,
    generation: z.int().positive(),
    phase: z.enum(['done', 'failed']),
    /** failed: the error, as a sentence goes on. */
    note: z.string().max(1024).nullable(),
    exports: z.array(exportedVolume).max(16),
  }),
  /** A machine that no node's port knows asked for an address. */
  z.object({ ...reportBase, kind: z.literal('unknown_machine'), address: macAddress, detail: z.string().max(1024) }),
])
export type Report = z.infer<typeof report>
export type ReportKind = Report['kind']

/** Appliance → cloud. */
export const uplink = z.discriminatedUnion('kind', [
  z.object({ v: z.literal(1), kind: z.literal('reports'), reports: z.array(report).min(1).max(100) }),
  /** Sent on connect and about every 20 s, unnumbered. `commands_through`: all commands up to this number are in the ledger. */
  z.object({
    v: z.literal(1),
    kind: z.literal('alive'),
    at: instant,
    software: z.string().max(64),
    commands_through: z.int().nonnegative(),
    /** Just connected: send again whatever is missing. */
    hello: z.boolean(),
    /** Keys of blobs whose URLs have expired, or never came. */
    refresh: z.array(z.string().max(1024)).max(100),
    /** Where the appliance has volumes. */
    volumes: volumeRoom.optional(),
    certificate: certificateTold.optional(),
    /** At hello: what it knows of that not every appliance does (features.ts). */
    features: z.array(z.string().max(64)).max(256).optional(),
  }),
  /** What a machine's console shows, while somebody watches; unnumbered. */
  z.object({ v: z.literal(1), kind: z.literal('console'), node: uuid, chunk: consoleChunk }),
  /** How far an image is that was to be fetched before a deploy wants it; unnumbered. */
  z.object({ v: z.literal(1), kind: z.literal('prefetch'), ...prefetchProgress.shape }),
  /** A part of the recording of a console, as asked for. */
  z.object({ v: z.literal(1), kind: z.literal('console_log'), node: uuid, ...logPart.shape }),
])
export type Uplink = z.infer<typeof uplink>
