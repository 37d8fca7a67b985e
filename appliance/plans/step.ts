import type { z } from 'zod'
import type { Answer } from '../../contract/answer.ts'
import type { FakeDelay } from '../../contract/hardware.ts'
import type { HardwareFacts } from '../../contract/hardware-facts.ts'
import type { Plan } from '../../contract/plan.ts'
import type { stepArguments, StepName } from '../../contract/step-arguments.ts'
import type { BootDevice, PowerState } from '../../contract/resources.ts'
import type { Sealed } from '../../contract/seal.ts'
import type { Agents } from '../agents/agents.ts'
import type { Posted } from '../agents/posted.ts'
import type { BmcAuthority } from '../bmc-authority.ts'
import type { Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import type { StepSecrets } from '../drivers/secrets.ts'
import type { Images } from '../images/images.ts'
import type { BootMedia } from '../media/media.ts'
import type { Machines } from '../ledger/machines.ts'
import type { PowerRules } from '../power/change.ts'
import type { Switches } from '../switches/switch.ts'

export type StepArguments<N extends StepName> = z.infer<(typeof stepArguments)[N]>

/** What a step may use. Steps are idempotent: after a crash the step in progress is run again from its beginning, with its memo. */
export interface StepContext {
  plan: Plan
  clock: Clock
  /** Aborted when the deadline passes or the plan is to stop; every wait listens to it. */
  signal: AbortSignal
  /** When the step first began, and when it must have ended. */
  started: Date
  deadline: Date
  /** Tells people what is being done; cheap to call often. */
  note(text: string, percent?: number): void
  /** Journalled at once: what a second attempt must know of the first. */
  memo: { get(key: string): string | undefined; set(key: string, value: string): void }
  bmc(): Promise<Bmc>
  power: PowerRules
  /** For the report: what the BMC is known to say now. */
  observed(facts: { power?: PowerState; bootDevice?: { boot_device: BootDevice; persistent: boolean } }): void
  /** What differs where a step is about a parent or child of the plan's node. */
  onRelative(node: string): Pick<StepContext, 'plan' | 'bmc' | 'power' | 'observed' | 'note' | 'delayMs'>
  /** Somebody has ended the `hold` that is this step. */
  unheld(): boolean
  /** For the cloud: what the machine consists of. */
  found(inventory: Record<string, unknown>, pluginData?: Record<string, unknown>): void
  /** What the machine's ramdisk has posted of it by itself, once. */
  posted(): Posted | undefined
  /** For the cloud: what the BMC says of the machine; parts of one reading have the same `read_at`. */
  read(facts: HardwareFacts): void
  /** For the node's history: what people should know of an operation that goes on all the same. */
  noticed(subject: 'kexec', text: string): void
  /** For who waits for it. */
  answered(answer: Answer): void
  /** For the cloud and for all that follows here: this key of driver_info has a new value. */
  rotated(key: string, value: Sealed): void
  /** For the cloud and for all that follows here: the BMC is known by this certificate only. */
  trusted(fingerprint: string): void
  /** That signs certificates of BMCs, where the appliance has one. */
  authority: BmcAuthority | undefined
  secrets: StepSecrets
  /** What an action of a fake interface takes. */
  delayMs(kind: FakeDelay): number
  /** Of the machine's rescue system, opened. */
  rescuePassword(): string
  machines: Machines
  /** Of the site, whose ports machines are plugged into. */
  switches: Switches
  agents: Agents
  images: Images
  media: Pick<BootMedia, 'url' | 'instanceUrl' | 'ownUrl'>
  /** Where ramdisks and installers call. */
  doorUrl: string
  /** What the ramdisk's kernel is told besides its boot interface. */
  ramdiskCommandLine: string
}

export type StepRunner<N extends StepName> = (args: StepArguments<N>, on: StepContext) => Promise<void>
