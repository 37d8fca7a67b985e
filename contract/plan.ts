import { z } from 'zod'
import { bootVolume, MOST_DATA_VOLUMES } from './boot-volume.ts'
import { instant, jsonObject, macAddress, uuid } from './resources.ts'
import { siteSwitch } from './switch-doors.ts'
import { HOLD_SECONDS } from './step-arguments.ts'

/** A plan is all that a site needs to carry out one operation on one node, cut off from the cloud: every step, with its arguments and
 * its deadline. Planners are pure; a plan once sent is never changed. */

export const step = z.object({
  interface: z.string().max(32),
  step: z.string().max(255),
  args: jsonObject,
  /** As Ironic shows it; the order of the plan is what counts. */
  priority: z.int().nonnegative(),
  /** From the step's start to its failure. */
  deadline_seconds: z.int().positive().max(HOLD_SECONDS),
  /** The node shows its waiting state while this step runs. */
  waits: z.boolean(),
})
export type Step = z.infer<typeof step>

export const lane = z.enum(['provision', 'power'])
export type Lane = z.infer<typeof lane>

export const planKind = z.enum([
  'verify',
  'inspect',
  'adopt',
  'clean',
  'deploy',
  'service',
  'rescue',
  'unrescue',
  'tear_down',
  'power',
  'boot_device',
  'management',
])
export type PlanKind = z.infer<typeof planKind>

/** What the site must know of the machine. Secrets in `driver_info` are sealed to the site. */
export const machine = z.object({
  node: uuid,
  name: z.string().nullable(),
  driver: z.string(),
  interfaces: z.record(z.string(), z.string().nullable()),
  driver_info: jsonObject,
  properties: jsonObject,
  instance_info: jsonObject,
  boot_mode: z.enum(['uefi', 'bios']),
  cpu_arch: z.enum(['x86_64', 'aarch64']),
  disable_power_off: z.boolean(),
  /** Its agent stays after an inspection or a cleaning, for what comes next (Ironic: fast-track). */
  fast_track: z.boolean().optional(),
  /** IPv4 that DHCP gives its cards while a ramdisk runs, by MAC. */
  addresses: z.record(macAddress, z.ipv4()).optional(),
  /** Static addresses for its ramdisk. */
  network_data: jsonObject.optional(),
  target_raid_config: jsonObject.optional(),
  /** What it boots from in place of a disk of its own. */
  boot_volume: bootVolume.optional(),
  /** Disks that it finds beside that at each start. None: it has none any more. */
  data_volumes: z.array(bootVolume).max(MOST_DATA_VOLUMES).optional(),
  /** The site's appliances, which have to open what the site itself makes secret. */
  sealing_keys: z
    .array(z.object({ appliance: uuid, key: z.base64().length(44) }))
    .max(64)
    .optional(),
  ports: z.array(z.object({ uuid, address: macAddress, pxe_enabled: z.boolean() })).max(64),
})
export type Machine = z.infer<typeof machine>

export const MOST_RELATIVES = 64

export const plan = z.object({
  id: uuid,
  node: uuid,
  generation: z.int().positive(),
  lane,
  kind: planKind,
  machine,
  /** Parent and children, as far as steps are about them. */
  relatives: z.array(machine).max(MOST_RELATIVES).optional(),
  /** Of those that its connections name, those that the cloud knows, and the site whose they are. */
  switches: z.object({ site: z.string().max(255), doors: z.array(siteSwitch).max(64) }).optional(),
  steps: z.array(step).min(1).max(256),
  /** What to do, best effort, when a step fails: the machine must not be left running half-written. */
  on_failure: z.array(step).max(32),
  created_at: instant,
})
export type Plan = z.infer<typeof plan>

export function stepName(of: { interface: string; step: string }): string {
  return `${of.interface}.${of.step}`
}
