import type { BootFlags } from './boot-parameters.ts'
import type { CipherSuiteId } from './cipher-suite.ts'
import type { Clock } from './clock.ts'
import type { Privilege, ResponseOf } from './command.ts'
import type { ChassisAction, getDeviceId } from './commands.ts'
import type { Random } from './random.ts'
import type { SerialPort, SolSettings } from './sol-serial.ts'

/** A completion code other than "ok" (see completion-code.ts), instead of a response. */
export class Declined {
  readonly code: number
  /** What goes with it: nothing, but for codes that are no failures. */
  readonly data: Uint8Array

  constructor(code: number, data: Uint8Array = new Uint8Array(0)) {
    this.code = code
    this.data = data
  }
}

/** The server that a BMC belongs to: all that a simulator has to supply. What throws a `Declined` gives the console that code. */
export interface Chassis {
  power(): Promise<'on' | 'off'>
  /** Returns when the action has begun; `power` tells when it is done. */
  control(action: ChassisAction): Promise<void>
  /** What the firmware reads at its next start. A choice that isn't persistent is the firmware's to clear. */
  bootOptions: { get(): Promise<BootFlags>; set(flags: BootFlags): Promise<void> }
}

/** What a BMC knows of its server beside power. The event log it keeps by itself. */
export interface Inventory {
  /** Sensor data records (sdr.ts) without their ids, and what the sensor shows now: undefined, it can't be read. `states` are
   * the states that are asserted, or the thresholds that are crossed where the record says that these can't be read (IPMI 2.0 §35.14). */
  sensors: ReadonlyArray<{ record: Uint8Array; read(): Promise<{ raw: number; states: number } | undefined> }>
  /** The FRU device 0, byte for byte. */
  fru: Uint8Array
  /** What the server draws; DCMI's commands are declined without it. */
  power?(): Promise<PowerReading>
  /** For how long it has been on in its life; declined without it. */
  hours?(): Promise<number>
}

/** What the BMC says of its own network interface until it is told otherwise; it listens where its socket does. */
export interface LanSettings {
  address: string
  mask: string
  gateway: string
  mac: string
}

/** In watts, and over which time. */
export interface PowerReading {
  watts: number
  minimum: number
  maximum: number
  average: number
  periodMs: number
}

/** A controller behind the BMC, which is asked by Send Message (IPMI 2.0 §6.13). */
export interface Satellite {
  channel: number
  address: number
  chassis: Chassis
  satellites?: readonly Satellite[]
}

export interface BmcUser {
  name: string
  password: string
  privilege: Privilege
}

export interface BmcOptions {
  users: readonly BmcUser[]
  chassis: Chassis
  /** What broke in the chassis; the console that asked gets "unspecified error". */
  onError(this: void, error: unknown): void
  guid?: Uint8Array
  inventory?: Partial<Inventory>
  /** What serial over LAN shows; without it the BMC has none. */
  serial?: SerialPort
  sol?: Partial<SolSettings>
  /** Where it is reached, as it tells consoles. */
  udpPort?: number
  satellites?: readonly Satellite[]
  lan?: Partial<LanSettings>
  /** How long erasing the event log takes it. */
  eraseMs?: number
  device?: Partial<ResponseOf<typeof getDeviceId>>
  cipherSuites?: readonly CipherSuiteId[]
  /** Kg, the BMC's own key: who logs in by RMCP+ must know it, and the password. */
  kg?: Uint8Array
  /** Whether it also takes sessions of IPMI 1.5, by MD5; users whose password is longer than its 16 bytes have none. */
  ipmi15?: boolean
  limits?: Partial<SessionLimits>
  clock?: Clock
  random?: Random
}

export interface SessionLimits {
  /** Sessions that are logged in. */
  active: number
  /** Sessions in the middle of logging in; the oldest makes room for a new one. */
  pending: number
  idleMs: number
  pendingMs: number
}

/** IPMI 2.0 §6.12.15 for the idle time. A handshake of three round trips needs no minute. */
export const defaultLimits: SessionLimits = { active: 16, pending: 16, idleMs: 60_000, pendingMs: 10_000 }
