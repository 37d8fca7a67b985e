import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { imageKeys } from '../contract/images/signature.ts'
import { fakeDelay, fakeDelays } from '../contract/hardware.ts'
import { whenKept } from './agents/deploy-logs.ts'
import { bootConfig } from './boot/config.ts'
import { powerConfig } from './power/policy.ts'
import { switchConfig } from './switches/config.ts'
import { volumeConfig } from './volumes/config.ts'

/** One JSON file. What the cloud tells (broker, certificates) is not in here: enrolment writes that beside the ledger. */
export const applianceConfig = z.strictObject({
  /** Ledger, identity, images; readable by its owner only. */
  data_dir: z.string().min(1).default('/var/lib/bloomery'),
  boot: bootConfig,
  /** Where ramdisks look themselves up (HTTPS) and get images (HTTP, or HTTPS alone where `image_tls` is true), on `boot.nextServer`. */
  door_port: z.int().min(1).max(65_535).default(6385),
  image_port: z.int().min(1).max(65_535).default(8089),
  image_tls: z.boolean().default(false),
  /** Where BMCs reach this appliance, for virtual media; default: `boot.nextServer`. */
  media_address: z.union([z.ipv4(), z.ipv6(), z.hostname()]).optional(),
  /** Prometheus scrapes http://127.0.0.1:PORT/metrics; absent: nobody does. */
  metrics_port: z.int().min(1).max(65_535).optional(),
  /** Sensors and logs of BMCs: how often a machine is looked at (0: never; Ironic: send_sensor_data_interval), and how many sensors
   * Prometheus sees, of one and of all. */
  health: z
    .strictObject({
      interval_seconds: z.union([z.literal(0), z.number().min(60).max(86_400)]).default(600),
      sensors_per_node: z.int().min(0).max(256).default(16),
      sensors: z.int().min(0).max(1_000_000).default(50_000),
    })
    .prefault({}),
  /** `bloomery image key` prints them: of images in chunks only those that one of these signed are written. */
  image_keys: imageKeys.default([]),
  /** Where images may come from that the cloud doesn't keep (Ironic: `[conductor]file_url_allowed_paths`, `[oci]`). */
  image_sources: z
    .strictObject({
      file_url_allowed_paths: z.array(z.string().startsWith('/')).max(64).default(['/var/lib/bloomery-images']),
      oci_http_registries: z
        .array(z.string().regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, 'HOST or HOST:PORT'))
        .max(64)
        .default([]),
      oci_authentication_config: z.string().startsWith('/').optional(),
    })
    .prefault({}),
  /** Agents give chunks of an image to each other above so many that write it at once; false: never. */
  image_peers: z
    .union([z.literal(false), z.strictObject({ above: z.int().min(1).max(10_000).default(4) })])
    .default({ above: 4 }),
  /** What ramdisks logged is kept in `data_dir`/deploy-logs, the newest so many. */
  deploy_logs: z
    .strictObject({ collect: whenKept.default('on_failure'), most: z.int().min(1).max(100_000).default(200) })
    .prefault({}),
  image_cache_gib: z.number().positive().max(65_536).default(64),
  /** More for the ramdisk's kernel command line, such as a serial console. */
  kernel_arguments: z
    .string()
    .max(1024)
    .regex(/^[\x20-\x7e]*$/, 'printable ASCII only')
    .default(''),
  /** How long actions of fake interfaces take: seconds, or "min,max". */
  fake: z
    .strictObject(Object.fromEntries(fakeDelays.map((kind) => [`${kind}_delay`, fakeDelay.optional()])))
    .default({}),
  /** Whether consoles are open, and recorded, while something is done to their machines, also where they are not enabled. */
  consoles: z.strictObject({ during_operations: z.boolean().default(true) }).prefault({}),
  power: powerConfig,
  /** Whose ports plans move between VLANs, of nodes with network interface `neutron`. */
  switches: z.array(switchConfig).max(1024).default([]),
  /** Volumes that machines boot from or have beside their disks, by iSCSI; absent: none (docs/volumes.md). */
  volumes: volumeConfig.optional(),
  /** Files, PEM, of who signs the certificates that BMCs are given (`management.renew_bmc_certificate`). */
  bmc_authority: z
    .strictObject({ certificate: z.string().startsWith('/'), key: z.string().startsWith('/') })
    .optional(),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})
export type ApplianceConfig = z.output<typeof applianceConfig>

export function readConfig(path: string): ApplianceConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`the configuration ${path} can't be read`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`the configuration ${path} is not JSON`, { cause: error })
  }
  const parsed = applianceConfig.safeParse(json)
  if (!parsed.success) throw new Error(`the configuration ${path} can't be used:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}
