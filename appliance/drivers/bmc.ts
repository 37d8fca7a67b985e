import type {
  AccountWish,
  BmcAccount,
  BootOptions,
  LanSettings,
  LanWish,
  WatchdogState,
  WatchdogWish,
} from '../../contract/bmc-settings.ts'
import type { HardwareFacts, IndicatorState } from '../../contract/hardware-facts.ts'
import type { KeyEnrolment, MediaDevice } from '../../contract/step-arguments.ts'
import type { LogicalDisk } from '../../contract/raid.ts'
import type { BootDevice } from '../../contract/resources.ts'
import type { Subscription } from '../../contract/subscription.ts'
import type { Clock } from '../clock.ts'
import type { OpenConsole } from '../consoles/line.ts'
import type { SshDoor } from '../consoles/ssh-line.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Ask, Look } from '../health/look.ts'
import type { Delays } from './delays.ts'

/** What the product needs of a BMC, whatever it speaks. Every method has its own deadline and rejects with HardwareError. */
export interface Bmc {
  power(): Promise<'power on' | 'power off'>
  control(action: PowerAction): Promise<void>
  bootDevice(): Promise<{ boot_device: BootDevice; persistent: boolean } | null>
  setBootDevice(device: BootDevice, options: { persistent: boolean; uefi: boolean }): Promise<void>
  /** What else it can do; not every driver has each. */
  readonly more?: Partial<BmcManagement>
}

export interface BiosWish {
  name: string
  value: string | number | boolean
}

/** That of the user that we log in as. */
export interface BmcPassword {
  /** In driver_info. */
  readonly key: string
  /** How many bytes it may have, where those are fewer than the 20 of IPMI 2.0. */
  readonly room?: number | undefined
  set(password: string): Promise<void>
  /** Whether a fresh session can be had with it. */
  works(password: string): Promise<boolean>
}

/** Who may log in to a BMC. */
export interface BmcAccounts {
  list(): Promise<BmcAccount[]>
  /** Twice is once. */
  put(wish: AccountWish): Promise<void>
}

/** What a BMC tells whom of, as people subscribe to it. */
export interface BmcSubscriptions {
  /** What can be subscribed to; none where the BMC doesn't say. */
  eventTypes(): Promise<string[]>
  create(wish: Subscription): Promise<Record<string, unknown>>
  /** One that is as wished already. */
  find(wish: Subscription): Promise<Record<string, unknown> | undefined>
  read(id: string): Promise<Record<string, unknown>>
  all(): Promise<Record<string, unknown>>
  /** `lenient`: one that is gone is as good. */
  remove(id: string, lenient: boolean): Promise<void>
}

/** The way to a serial port that a BMC tells of. */
export type SerialDoor =
  | ({ by: 'ssh'; fingerprint: string | undefined } & Omit<SshDoor, 'refuses'>)
  /** What the driver of IPMI is told. */
  | { by: 'ipmi'; driverInfo: DriverInfo }

/** The certificate that a BMC itself is known by. */
export interface BmcCertificates {
  /** Name or address under which it is asked. */
  host(): string
  /** driver_info names the one certificate that is trusted. */
  isPinned(): boolean
  /** PKCS #10, PEM: for a new key, which stays in the BMC. */
  request(subject: { commonName: string; alternativeNames: readonly string[] }): Promise<string>
  install(pem: string): Promise<void>
  /** Whether a fresh connection can be had by what driver_info says; or by this fingerprint alone. */
  trusts(pin?: string): Promise<boolean>
}

/** All settings of a machine and its BMC in one document. Of iDRACs alone. */
export interface BmcConfiguration {
  export(): Promise<Record<string, unknown>>
  /** Says where its job is followed. */
  beginImport(profile: Record<string, unknown>): Promise<string>
  followImport(job: string, progress: (percent: number) => void): Promise<void>
}

/** What RAID controllers of iDRACs need beside volumes. Each begins jobs, or none; what has begun is followed. */
export interface BmcRaidPreparation {
  clearForeign(): Promise<RaidJob[]>
  controllersToRaid(): Promise<RaidJob[]>
  /** Those drives that these would be made of. */
  drivesToRaid(disks: readonly LogicalDisk[]): Promise<RaidJob[]>
  follow(job: RaidJob): Promise<void>
}
export interface RaidJob {
  path: string
  /** It begins when the machine does. */
  restarts: boolean
}

export interface BmcManagement {
  injectNmi(): Promise<void>
  setBootMode(mode: 'uefi' | 'bios'): Promise<void>
  setSecureBoot(enabled: boolean): Promise<void>
  setIndicator(component: string, name: string, state: IndicatorState): Promise<void>
  attachMedia(device: MediaDevice, image: string): Promise<void>
  /** Has the firmware fetch and start this by HTTP at the next start. */
  bootFromUrl(url: string): Promise<void>
  /** null: all there are. */
  detachMedia(devices: readonly MediaDevice[] | null): Promise<void>
  /** Of these, the settings that are not as asked. */
  biosDifferences(settings: readonly BiosWish[]): Promise<string[]>
  setBios(settings: readonly BiosWish[]): Promise<void>
  resetBios(): Promise<void>
  /** Those that exist already under their name are left as they are. */
  createVolumes(disks: readonly LogicalDisk[]): Promise<void>
  deleteVolumes(): Promise<void>
  readRaid(): Promise<Record<string, unknown>>
  /** Of iDRACs alone. */
  readonly raidPreparation: BmcRaidPreparation
  /** `component`: null where the BMC sees by the image what it is for; `checksum`: SHA-1, SHA-256 or SHA-512. */
  updateFirmware(
    component: string | null,
    url: string,
    progress: (percent: number) => void,
    checksum?: string,
  ): Promise<void>
  /** `warm` and `cold` are IPMI's. */
  resetBmc(how?: 'warm' | 'cold'): Promise<void>
  setClock(at: string, offset?: string): Promise<void>
  /** RFC 3339; undefined: the BMC doesn't tell it. */
  readClock(): Promise<string | undefined>
  /** Of the system and of its BMC. */
  clearEventLog(): Promise<void>
  /** Over IPMI alone: network function, command, data. What the BMC answers behind its completion code. */
  sendRaw(bytes: readonly number[]): Promise<Uint8Array>
  /** None: it keeps the time that it is told. */
  setNtp(servers: readonly string[]): Promise<void>
  resetSecureBootKeys(to: 'default' | 'none'): Promise<void>
  /** Adds to what the firmware holds. */
  enrolSecureBootKeys(databases: readonly KeyEnrolment[]): Promise<void>
  readonly subscriptions: BmcSubscriptions
  /** Whom the firmware trusts when it boots by HTTPS; PEM. */
  installBootCertificates(pems: readonly string[]): Promise<void>
  readonly certificates: BmcCertificates
  /** Calls back when the BMC tells that power may have changed, as long as the signal lets it. Rejects where it can't tell. */
  listen(onPower: () => void, signal: AbortSignal): Promise<void>
  /** Of the BMC: those that can log in, by name. */
  users(): Promise<string[]>
  readonly accounts: BmcAccounts
  /** The user of driver_info. */
  readonly ownName: () => string
  /** Over IPMI alone: the BMC's own connection. */
  readonly lan: { read(): Promise<LanSettings>; write(wish: LanWish): Promise<void> }
  /** Over IPMI alone: what resets a machine whose software hangs. */
  readonly watchdog: { read(): Promise<WatchdogState>; set(wish: WatchdogWish): Promise<void> }
  /** Over Redfish alone: what the firmware boots in turn. */
  readonly bootOrder: { read(): Promise<BootOptions>; set(order: readonly string[]): Promise<void> }
  /** Of iDRACs alone. */
  clearJobQueue(force: boolean): Promise<void>
  resetIdrac(): Promise<void>
  readonly configuration: BmcConfiguration
  openConsole: OpenConsole
  /** Who has the machine's serial port, where this driver itself can't open it. */
  serialDoor(): Promise<SerialDoor>
  /** In the words of ironic-python-agent's inventory. */
  inspect(): Promise<Record<string, unknown>>
  readonly password: BmcPassword
  /** A look at sensors and log; `kept`: what the look before at the same BMC left for it. */
  readHealth(kept: string | null, ask: Ask): Promise<Look>
  /** What can't be read is left out. */
  readHardware(): Promise<Omit<HardwareFacts, 'read_at'>>
}

/** That part of a BMC, or an error that says that this driver has none. */
export function requireMore<K extends keyof BmcManagement>(bmc: Bmc, driver: string, part: K): BmcManagement[K] {
  const found = bmc.more?.[part]
  if (!found) throw new HardwareError(`driver ${driver} can't do this (${part})`)
  return found
}

export type PowerAction = 'on' | 'off' | 'soft' | 'reset'

/** What a driver is told: driver_info with its secrets opened. Never logged, never kept longer than the connection. */
export type DriverInfo = Record<string, unknown>

/** What imagined hardware is made of; real BMCs need none of it. */
export interface Stage {
  clock: Clock
  delays: Delays
  memory: Memory
  /** The appliance is going down. */
  signal: AbortSignal
}

/** What outlives the appliance's crash, of one machine. */
export interface Memory {
  read(): string | undefined
  write(state: string): void
}

export type ConnectBmc = (driverInfo: DriverInfo, stage: Stage) => Promise<Bmc>
