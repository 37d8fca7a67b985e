import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { JsonObject } from '../json.ts'
import { EventSource } from './event-source.ts'
import type { Dialect, SlotDialect } from './dialect.ts'
import type { Machine } from './machine.ts'

export interface User {
  name: string
  password: string
  role?: 'Administrator' | 'Operator' | 'ReadOnly' | 'None'
  enabled?: boolean
}

export interface Slot extends SlotDialect {
  image: string | undefined
  writeProtected: boolean
  username: string
  verifyCertificate: boolean
}

export interface Volume {
  id: string
  name: string
  raid: string
  drives: readonly string[]
  capacityBytes: number
}

export interface Task {
  id: string
  name: string
  beganAt: string
  endsAt: number
  /** Undefined until looked at after its end. */
  finish: (() => TaskEnd) | undefined
  told: TaskEnd
  /** A vendor's own. */
  oem?: JsonObject
}

/** What a task says when it is over: beside its state, or in its place. */
export interface TaskEnd {
  messages?: readonly JsonObject[]
  body?: JsonObject
}

export interface LogRecord {
  id: string
  at: string
  /** Without: the registry's words for `messageId`. */
  text?: string
  messageId?: string
  args?: readonly string[]
  severity?: 'OK' | 'Warning' | 'Critical'
}

export interface Subscriber {
  destination: string
  context: string
  /** Those that were asked for; none: all. */
  types: readonly string[]
  headers: Readonly<Record<string, string>>
  /** It could not be delivered to. */
  suspended: boolean
}

export interface StoredCertificate {
  id: string
  pem: string
  owner: string | undefined
}

/** All that a simulated BMC remembers. */
export interface State {
  readonly machine: Machine
  readonly dialect: Dialect
  readonly clock: Clock
  readonly users: User[]
  readonly sessions: Map<string, { token: string; user: string }>
  readonly slots: Slot[]
  readonly bios: { attributes: Record<string, unknown>; pending: Record<string, unknown> }
  readonly secureBoot: { enabled: boolean; current: boolean; factoryKeys: boolean }
  readonly volumes: Volume[]
  readonly firmware: Map<string, { name: string; version: string; updateable: boolean }>
  readonly tasks: Map<string, Task>
  readonly events: EventSource
  /** Ways to the machine's serial port: the system's own, and ports of the manager's. */
  readonly consoles: { system: JsonObject | undefined; ssh: number; ipmi: number }
  readonly subscriptions: Map<string, Subscriber>
  /** By the path of their collection. */
  readonly certificates: Map<string, StoredCertificate[]>
  readonly signatures: Map<string, { id: string; text: string }[]>
  /** Private keys of certificates that were asked for, by the path of the collection. */
  readonly requestedKeys: Map<string, string>
  readonly bootOptions: { id: string; name: string; devicePath: string; enabled: boolean }[]
  bootOrder: readonly string[]
  readonly ntp: { enabled: boolean; servers: readonly string[] }
  /** What a change of the HTTPS certificate brought. */
  tls: { key: string; cert: string } | undefined
  /** HttpPushUriTargets, and whether somebody has them. */
  readonly push: { targets: readonly string[]; busy: boolean }
  readonly log: LogRecord[]
  /** `On` is refused so many times yet. */
  conflicts: number
  indicator: string
  /** Of drives, by id. */
  readonly lights: Map<string, string>
  /** Of storage controllers, what was changed. */
  readonly controller: Record<string, unknown>
  /** Of iDRACs: what the RAID controller has beside volumes, and whether it can be changed while the machine runs. */
  readonly dellRaid: { foreign: boolean; outside: Set<string>; mode: 'RAID' | 'EnhancedHBA'; realTime: boolean }
  /** Done at the machine's next start. */
  readonly atStart: (() => void)[]
  /** What the manager was told that it is. */
  dateTime: string | undefined
  sequence: number
}

export const systemPath = ({ dialect }: Pick<State, 'dialect'>): string => `/redfish/v1/Systems/${dialect.systemId}`
export const managerPath = ({ dialect }: Pick<State, 'dialect'>): string => `/redfish/v1/Managers/${dialect.managerId}`
export const httpsCertificatesPath = (state: Pick<State, 'dialect'>): string =>
  `${managerPath(state)}/NetworkProtocol/HTTPS/Certificates`
export const chassisPath = '/redfish/v1/Chassis/1'

export function newState(
  machine: Machine,
  dialect: Dialect,
  users: readonly User[],
  clock: Clock,
  tls?: { key: string; cert: string },
): State {
  const mode = dialect.bootMode ? { [dialect.bootMode.attribute]: dialect.bootMode.UEFI } : {}
  return {
    machine,
    dialect,
    clock,
    users: users.map((user) => ({ ...user })),
    sessions: new Map(),
    slots: dialect.media.slots.map((slot) => ({
      ...slot,
      image: undefined,
      writeProtected: true,
      username: '',
      verifyCertificate: false,
    })),
    bios: { attributes: { ...defaultBios, ...mode }, pending: {} },
    secureBoot: { enabled: false, current: false, factoryKeys: true },
    volumes: [],
    firmware: new Map([
      ['BMC', { name: 'BMC', version: '1.0.0', updateable: true }],
      ['BIOS', { name: 'System BIOS', version: '2.0.0', updateable: true }],
    ]),
    tasks: new Map(),
    events: new EventSource(),
    consoles: { system: undefined, ssh: 22, ipmi: 623 },
    subscriptions: new Map(),
    certificates: new Map(),
    signatures: new Map(),
    requestedKeys: new Map(),
    bootOptions: firmwareOptions.map((option) => ({ ...option })),
    bootOrder: firmwareOptions.map(({ id }) => id),
    ntp: { enabled: false, servers: [] },
    tls,
    push: { targets: [], busy: false },
    log: [],
    conflicts: 0,
    indicator: 'Off',
    lights: new Map(),
    controller: { ConsistencyCheckRatePercent: 10 },
    dellRaid: { foreign: false, outside: new Set(), mode: 'RAID', realTime: true },
    atStart: [],
    dateTime: undefined,
    sequence: 0,
  }
}

const firmwareOptions = [
  {
    id: 'Boot0001',
    name: 'UEFI PXEv4',
    devicePath: 'PciRoot(0x0)/Pci(0x3,0x0)/MAC(525400000001,0x1)/IPv4()',
    enabled: true,
  },
  { id: 'Boot0002', name: 'Hard disk', devicePath: 'HD(1,GPT)', enabled: true },
  { id: 'Boot0003', name: 'UEFI Shell', devicePath: 'Fv(Shell)', enabled: false },
]

export const defaultBios: JsonObject = { ProcTurboMode: 'Enabled', NumLock: 'On', BootTimeout: 5, QuietBoot: true }

export function nextId(state: State): string {
  state.sequence += 1
  return String(state.sequence)
}

export function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/** What was waiting for the machine's next start takes effect. */
export function started(state: State): void {
  Object.assign(state.bios.attributes, state.bios.pending)
  state.bios.pending = {}
  state.secureBoot.current = state.secureBoot.enabled
  for (const due of state.atStart.splice(0)) due()
}
