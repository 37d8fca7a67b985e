import { z } from 'zod'

const seconds = (least: number, most: number) => z.number().min(least).max(most)

/** What an operator decides of power at a site: `power` of its configuration, under Ironic's names where it has one. */
export const powerConfig = z
  .strictObject({
    /** How often a BMC is asked whose machine's power has long stood still. */
    sync_power_state_interval: seconds(5, 86_400).default(120),
    /** The same where it has just changed, or a plan has just ended. */
    sync_power_state_busy_interval: seconds(1, 3600).default(5),
    /** A node is in maintenance by fault `power failure` after so many misses in a row … */
    power_state_sync_max_retries: z.int().min(1).max(100).default(3),
    /** … over at least so many seconds. */
    power_state_sync_silence: seconds(0, 86_400).default(300),
    /** A BMC that doesn't answer is asked this seldom in the end, and has to answer this long before the fault is over at its first time. */
    power_failure_recovery_interval: seconds(5, 86_400).default(300),
    /** What a machine has after the BMC took a command. */
    power_state_change_timeout: seconds(1, 3600).default(60),
    /** A machine whose operating system does not obey in time is switched off all the same. */
    hard_after_soft: z.boolean().default(false),
    /** Between the end of one command and the next to the same BMC. */
    bmc_command_interval: seconds(0, 60).default(0),
    /** An IPMI session is kept so long after its last use; it takes one of the few that a BMC has. Beyond 45 s the BMC is asked now and then who
     * it is, because it would forget the session. */
    ipmi_session_idle: seconds(5, 3600).default(45),
    /** BMCs that tell of power by themselves are listened to: so many at once. */
    event_streams: z.int().min(0).max(10_000).default(256),
    /** At most `most` machines of a group are switched on within `seconds`; a group is what `property` says, such as a rack. */
    stagger: z
      .strictObject({
        most: z.int().min(1).max(10_000),
        seconds: seconds(0.1, 600),
        property: z.string().min(1).max(255).default('rack'),
      })
      .optional(),
  })
  .prefault({})
export type PowerConfig = z.output<typeof powerConfig>

/** What the watch over one BMC goes by. Milliseconds. */
export interface Policy {
  idle: number
  busy: number
  misses: number
  silence: number
  broken: number
}

export function policyOf(config: PowerConfig): Policy {
  return {
    idle: config.sync_power_state_interval * 1000,
    busy: Math.min(config.sync_power_state_busy_interval, config.sync_power_state_interval) * 1000,
    misses: config.power_state_sync_max_retries,
    silence: config.power_state_sync_silence * 1000,
    broken: config.power_failure_recovery_interval * 1000,
  }
}
