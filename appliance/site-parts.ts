import type { WhenKept } from './agents/deploy-logs.ts'
import type { BootMark } from '../contract/boot-mark.ts'
import type { AgentClient } from './agents/client.ts'
import type { BmcAuthority } from './bmc-authority.ts'
import type { BootEvents } from './boot/machine.ts'
import type { Captured } from './capture/capture.ts'
import type { CaptureOrder } from './capture/captures.ts'
import type { Clock } from './clock.ts'
import type { DelayConfig } from './drivers/delays.ts'
import type { Drivers } from './drivers/table.ts'
import type { HealthGauges } from './health/gauges.ts'
import type { Identity } from './identity.ts'
import type { SourcesConfig } from './images/sources/find.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { BootMedia } from './media/media.ts'
import type { Log } from './log.ts'
import type { PowerConfig } from './power/policy.ts'
import type { CrashPoint } from './plans/run-plan.ts'
import type { Credentials } from './uplink/credentials.ts'
import type { Link } from './uplink/link.ts'
import type { Switches } from './switches/switch.ts'
import type { VolumeOptions } from './volumes/volumes.ts'

/** Everything that differs between a rack server, a QEMU rack and a paper rack. */
export interface SiteParts {
  identity: Pick<Identity, 'uuid' | 'sealingKey'>
  ledger: Ledger
  link: Link
  /** Absent: the link is by none that could be renewed. */
  credentials?: Credentials
  clock: Clock
  log: Log
  random: () => number
  uuid: () => string
  token: () => string
  drivers: Drivers
  power: PowerConfig
  /** Of fake interfaces. */
  fake: DelayConfig
  agentClient: AgentClient
  imageDir: string
  imageQuota: number
  /** Chunks of images; `imageQuota` is of both. */
  chunkDir: string
  /** Public keys of which one must have signed an image in chunks; none: it need not be signed. */
  imageKeys: readonly string[]
  imageSources: SourcesConfig
  /** Above how many that write one image at once agents give it to each other. */
  imagePeers: { above: number } | false
  get: typeof fetch
  /** Told of bytes of images in chunks that came over the WAN. */
  imageBytes(bytes: number): void
  /** Boot files are on their way to machines and want the processors: pulls of images yield. */
  pullsMustYield?: () => boolean
  /** What ramdisks logged: where it is kept, when, and how much of it. */
  deployLogs: { dir: string; collect: WhenKept; most: number }
  captureDir: string
  /** `attend`: consoles are open while plans are under way. */
  consoles: { dir: string; attend: boolean }
  /** Records frames of the provisioning network. */
  capture(order: CaptureOrder): Promise<Captured>
  /** Base URLs that machines on the provisioning network reach: the door and the image server. */
  doorUrl: string
  imageUrl: string
  media: Pick<BootMedia, 'url' | 'instanceUrl' | 'ownUrl'>
  /** Machines that no node knows boot the ramdisk too, and what it finds is told to the cloud. */
  discovers: boolean
  /** More for the ramdisk's kernel command line. */
  kernelArguments: string
  /** Where the boot services' events go, and what they say of these MACs. */
  events: BootEvents
  lastSeen(macs: string[], since: Date): string | undefined
  marks(macs: string[], since: Date): BootMark[]
  software: string
  /** Signs certificates of BMCs. */
  authority?: BmcAuthority | undefined
  /** How often sensors and logs are looked at; 0: never. */
  health: { intervalMs: number; gauges: HealthGauges }
  /** Where it has volumes for machines; absent: nowhere. */
  volumes?: VolumeOptions | undefined
  /** Whose ports plans move between VLANs. */
  switches: Switches
  crashPoint: CrashPoint
}
