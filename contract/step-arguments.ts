import { z } from 'zod'
import { bootOrder, lanWish, watchdogWish } from './bmc-settings.ts'
import { indicatorState } from './hardware-facts.ts'
import { partitionImage } from './partition-image.ts'
import { raidConfig } from './raid.ts'
import { remoteImage } from './images/remote.ts'
import { bootDevice, jsonObject, powerTarget, uuid } from './resources.ts'
import { sealed } from './seal.ts'
import { boolean } from './stored.ts'
import {
  imageReference,
  configDriveReference,
  instanceRamdisk,
  installerArguments,
  bootcInstall,
} from './plan-sources.ts'
import { connection, trunkConnection } from './switch-doors.ts'

const none = z.strictObject({})
const settings = z
  .array(
    z.strictObject({
      name: z.string().min(1).max(255),
      value: z.union([z.string().max(4096), z.number(), z.boolean()]),
    }),
  )
  .min(1)
  .max(1000)
const components = z
  .array(z.strictObject({ component: z.string().min(1).max(255), url: z.url({ protocol: /^https?$/ }).max(2048) }))
  .min(1)
  .max(64)

/** A file for the system that was written, under Ironic's keys (`deploy.inject_files`). */
const injectedFile = z.strictObject({
  path: z.string().regex(/^\/[^\0]{1,4094}$/, 'is an absolute path'),
  partition: z.union([z.int().positive(), z.string().max(64)]).optional(),
  deleted: z.boolean().optional(),
  /** Base64, or a URL. */
  content: z
    .string()
    .max(1024 * 1024)
    .optional(),
  mode: z.union([z.int().nonnegative(), z.string().max(8)]).optional(),
  dirmode: z.union([z.int().nonnegative(), z.string().max(8)]).optional(),
  owner: z.union([z.int().nonnegative(), z.string().max(64)]).optional(),
  group: z.union([z.int().nonnegative(), z.string().max(64)]).optional(),
})

const pem = z
  .string()
  .max(16_384)
  .regex(/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/, 'is no certificate in PEM')

/** As Ironic takes them; its `source` says from where it would pass an image on, and here nothing is passed on. */
const firmwareImages = z
  .array(
    z.strictObject({
      url: z.url({ protocol: /^https?$/ }).max(2048),
      checksum: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i, 'is no SHA-1, SHA-256 or SHA-512'),
      wait: z.coerce.number().int().min(0).max(7200).optional(),
      source: z.enum(['http', 'local']).optional(),
    }),
  )
  .min(1)
  .max(64)

/** Where configurations of machines are kept. */
const location = z.url({ protocol: /^https?$/ }).max(2048)

const subjectName = z.string().regex(/^[\w.:*-]{1,253}$/, 'is no name or address of a host')
/** Whom a BMC's certificate is for; by default the host of driver_info. */
export const certificateNames = {
  common_name: subjectName.optional(),
  alternative_names: z.array(subjectName).max(16).optional(),
}

/** What is added to one of UEFI's Secure Boot databases. */
export const keyEnrolment = z.strictObject({
  database: z.enum(['PK', 'KEK', 'db', 'dbx']),
  certificates: z.array(pem).max(8).optional(),
  /** SHA-256 of images. */
  hashes: z
    .array(z.string().regex(/^[0-9a-fA-F]{64}$/, 'is no SHA-256 in hexadecimal'))
    .max(256)
    .optional(),
})
export type KeyEnrolment = z.infer<typeof keyEnrolment>

/** Kinds of virtual media, as people name them. */
export const mediaDevice = z.enum(['cdrom', 'disk', 'floppy'])
export type MediaDevice = z.infer<typeof mediaDevice>

/** `0x00 0x01`: an IPMI request, its network function first (IPMI 2.0 §5.1: requests have even ones of 6 bits). */
const rawBytes = z
  .string()
  .max(1024)
  .regex(
    /^\s*(0x[0-9a-f]{1,2}|\d{1,3})(\s+(0x[0-9a-f]{1,2}|\d{1,3})){1,127}\s*$/i,
    'raw_bytes are bytes, such as "0x06 0x01"',
  )
  .refine((text) => readRawBytes(text).every((byte) => byte <= 0xff), 'a byte is at most 255')
  .refine((text) => {
    const [netFn = 0] = readRawBytes(text)
    return netFn % 2 === 0 && netFn <= 0x3e
  }, 'the first byte is a network function, even and at most 0x3e')

export function readRawBytes(text: string): number[] {
  return text.trim().split(/\s+/).map(Number)
}

/** How long a `hold` lasts unless somebody ends it: no wait is for ever. */
export const HOLD_SECONDS = 14 * 86_400

/** The steps a site can be told, by `interface.step`, with their arguments. Interface `plan` has those that are about the plan
 * itself. */
export const stepArguments = {
  'plan.hold': none,
  'plan.wait': z.strictObject({ seconds: z.int().min(0).max(3600).default(30) }),
  /** One step that needs no agent, on a parent or child of the plan's node: one of the plan's `relatives`. A name of its own, so that
   * an appliance that doesn't know it refuses, and doesn't do to a parent what is meant for its child. */
  'plan.on_node': z.strictObject({
    node: uuid,
    interface: z.string().max(32),
    step: z.string().max(255),
    args: jsonObject,
  }),
  /** What the ramdisk's agent offers and this catalogue doesn't know: of hardware managers that others put into it. */
  'plan.agent_step': z.strictObject({
    interface: z.string().max(64),
    step: z.string().min(1).max(255),
    args: jsonObject,
    /** Of a deploy: the step is shown it as instance_info/configdrive, as by Ironic. */
    config_drive: configDriveReference.optional(),
  }),
  'network.plug': z.strictObject({ connections: z.array(connection).min(1).max(64) }),
  /** A name of its own, so that an appliance that knows no tags refuses. */
  'network.plug_trunk': z.strictObject({ connections: z.array(trunkConnection).min(1).max(64) }),
  'power.validate': z.object({}),
  'power.power_on': z.object({}),
  'power.power_off': z.object({}),
  'power.reset': none,
  'power.set_power_state': z.object({ target: powerTarget, timeout: z.int().positive().nullable() }),
  'management.set_boot_device': z.object({ device: bootDevice, persistent: z.boolean() }),
  'management.inject_nmi': none,
  'management.set_boot_mode': z.strictObject({ mode: z.enum(['uefi', 'bios']) }),
  'management.set_secure_boot': z.strictObject({ enabled: z.boolean() }),
  'management.set_indicator': z.strictObject({
    component: z.string().max(32),
    indicator: z.string().max(256),
    state: indicatorState,
  }),
  'management.attach_virtual_media': z.strictObject({ device_type: mediaDevice, image_url: z.string().max(2048) }),
  'management.detach_virtual_media': z.strictObject({ device_types: z.array(mediaDevice).max(3).nullable() }),
  'management.read_hardware': none,
  'management.clear_event_log': none,
  'management.read_sensors': none,
  'boot.prepare_ramdisk': z.object({}),
  'boot.clean_up_ramdisk': z.object({}),
  'boot.prepare_instance': z.object({}),
  'boot.prepare_instance_ramdisk': instanceRamdisk,
  /** Of the machine's `boot_volume` and `data_volumes`. */
  'boot.prepare_instance_volume': none,
  'boot.prepare_installer': installerArguments,
  'deploy.boot_ramdisk': none,
  'deploy.start_agent': z.object({}),
  'deploy.write_image': z.object({
    image: z.union([imageReference, remoteImage]),
    config_drive: configDriveReference.nullable(),
    /** Absent: the image is of a whole disk. */
    partitions: partitionImage.optional(),
    /** What bootc is told, where the site finds that the image is a container that boots: that is installed, not written. */
    container: bootcInstall.optional(),
  }),
  'deploy.await_installer': none,
  'deploy.execute_bootc_install': bootcInstall.extend({
    image: remoteImage,
    config_drive: configDriveReference.nullable(),
  }),
  'deploy.prepare_instance_boot': z.object({}),
  'deploy.tear_down_agent': z.object({}),
  'deploy.kexec_instance': none,
  'deploy.boot_instance': z.object({}),
  'deploy.erase_devices_metadata': none,
  /** The flags that Ironic's conductor passes on from its configuration, here of each request; the agent has the defaults. */
  'deploy.erase_devices': z.strictObject({
    agent_erase_devices_iterations: z.int().min(0).max(35).optional(),
    agent_erase_devices_zeroize: z.boolean().optional(),
    agent_continue_if_secure_erase_failed: z.boolean().optional(),
    agent_enable_nvme_secure_erase: z.boolean().optional(),
    agent_enable_ata_secure_erase: z.boolean().optional(),
    disk_erasure_concurrency: z.int().min(1).max(64).optional(),
  }),
  'deploy.erase_devices_express': none,
  'deploy.erase_pstore': none,
  'deploy.clean_uefi_nvram': z.strictObject({ match_patterns: z.array(z.string().max(256)).max(64).optional() }),
  /** The agent judges them more closely: it knows the machine's partitions. */
  'deploy.inject_files': z.strictObject({
    files: z.array(injectedFile).min(1).max(256),
    verify_ca: z.boolean().optional(),
  }),
  /** How long and how hard is in driver_info, as in Ironic. */
  'deploy.burnin_cpu': none,
  'deploy.burnin_memory': none,
  'deploy.burnin_disk': none,
  'deploy.burnin_network': none,
  'deploy.deploy': none,
  'deploy.take_over': none,
  'inspect.inspect_hardware': none,
  'rescue.finalize_rescue': none,
  'management.reset_bmc': none,
  'management.set_bmc_clock': z.strictObject({
    target_datetime: z.iso.datetime({ offset: true }).optional(),
    datetime_local_offset: z
      .string()
      .regex(/^[+-]\d{2}:\d{2}$/)
      .optional(),
  }),
  'management.set_bmc_ntp': z.strictObject({ servers: z.array(z.string().regex(/^[\w.:-]{1,253}$/)).max(4) }),
  'management.verify_bmc_clock': none,
  'management.set_boot_order': z.strictObject({ order: bootOrder }),
  'management.set_lan_configuration': lanWish,
  'management.set_watchdog': watchdogWish,
  'management.enroll_secure_boot_keys': z.strictObject({ databases: z.array(keyEnrolment).min(1).max(4) }),
  'management.install_boot_certificates': z.strictObject({ certificates: z.array(pem).min(1).max(8) }),
  'management.install_bmc_certificate': z.strictObject({ certificate: pem }),
  'management.renew_bmc_certificate': z.strictObject({
    ...certificateNames,
    days: z.int().min(1).max(3650).default(397),
  }),
  'management.reset_secure_boot_keys_to_default': none,
  'management.clear_secure_boot_keys': none,
  'management.rotate_bmc_password': none,
  'management.report_drift': none,
  /** Intel's configuration levels of Speed Select: base, 1 and 2. */
  'management.configure_intel_speedselect': z.strictObject({
    intel_speedselect_config: z.enum(['0x00', '0x01', '0x02']),
    socket_count: z.coerce.number().int().min(1).max(16).default(1),
  }),
  'management.clear_job_queue': none,
  'management.reset_idrac': none,
  'management.known_good_state': none,
  'management.update_firmware': z.strictObject({ firmware_images: firmwareImages }),
  'management.export_configuration': z.strictObject({ export_configuration_location: location }),
  'management.import_configuration': z.strictObject({ import_configuration_location: location }),
  'management.import_export_configuration': z.strictObject({
    import_configuration_location: location,
    export_configuration_location: location,
  }),
  'vendor.send_raw': z.strictObject({ raw_bytes: rawBytes }),
  'vendor.bmc_reset': z.strictObject({ warm: boolean.default(true) }),
  /** What somebody waits for the answer of. `wish`: a `subscription`, as JSON; its headers and context may let people in. */
  'vendor.create_subscription': z.strictObject({ wish: sealed }),
  'vendor.delete_subscription': z.strictObject({ id: z.string().min(1).max(255) }),
  'vendor.get_subscription': z.strictObject({ id: z.string().min(1).max(255) }),
  'vendor.get_all_subscriptions': none,
  'vendor.generate_csr': z.strictObject(certificateNames),
  'vendor.get_boot_options': none,
  'vendor.get_lan_configuration': none,
  'vendor.get_watchdog': none,
  'vendor.get_users': none,
  /** `wish`: an `accountWish`, as JSON, for the password in it. */
  'vendor.set_user': z.strictObject({ wish: sealed }),
  'bios.apply_configuration': z.strictObject({ settings }),
  'bios.factory_reset': none,
  'raid.create_configuration': z.strictObject({
    create_root_volume: z.boolean().optional(),
    create_nonroot_volumes: z.boolean().optional(),
    delete_existing: z.boolean().optional(),
  }),
  'raid.delete_configuration': none,
  'raid.apply_configuration': z.strictObject({ raid_config: raidConfig, delete_existing: boolean.default(true) }),
  'firmware.update': z.strictObject({ settings: components }),
} as const
export type StepName = keyof typeof stepArguments
export const stepNames = Object.keys(stepArguments) as StepName[]
