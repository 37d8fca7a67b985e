import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { JsonObject } from '../json.ts'
import type { Dialect, SlotDialect } from './dialect.ts'
import type { Machine } from './machine.ts'

export interface User {
  name: string
  password: string
  role?: 'Administrator' | 'Operator' | 'ReadOnly'
}

export interface Slot extends SlotDialect {
  image: string | undefined
  writeProtected: boolean
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
  endsAt: number
  /** Undefined until looked at after its end. */
  finish: (() => void) | undefined
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
  readonly secureBoot: { enabled: boolean; current: boolean; mode: string }
  readonly volumes: Volume[]
  readonly firmware: Map<string, { name: string; version: string; updateable: boolean }>
  readonly tasks: Map<string, Task>
  readonly subscriptions: Map<string, { destination: string; context: string }>
  readonly log: { id: string; at: string; text: string }[]
  /** `On` is refused so many times yet. */
  conflicts: number
  indicator: string
  /** What the manager was told that it is. */
  dateTime: string | undefined
  sequence: number
}

export const systemPath = ({ dialect }: Pick<State, 'dialect'>): string => `/redfish/v1/Systems/${dialect.systemId}`
export const managerPath = ({ dialect }: Pick<State, 'dialect'>): string => `/redfish/v1/Managers/${dialect.managerId}`
export const chassisPath = '/redfish/v1/Chassis/1'

export function newState(machine: Machine, dialect: Dialect, users: readonly User[], clock: Clock): State {
  const mode = dialect.bootMode ? { [dialect.bootMode.attribute]: dialect.bootMode.UEFI } : {}
  return {
    machine,
    dialect,
    clock,
    users: users.map((user) => ({ ...user })),
    sessions: new Map(),
    slots: dialect.media.slots.map((slot) => ({ ...slot, image: undefined, writeProtected: true })),
    bios: { attributes: { ...defaultBios, ...mode }, pending: {} },
    secureBoot: { enabled: false, current: false, mode: 'UserMode' },
    volumes: [],
    firmware: new Map([
      ['BMC', { name: 'BMC', version: '1.0.0', updateable: true }],
      ['BIOS', { name: 'System BIOS', version: '2.0.0', updateable: true }],
    ]),
    tasks: new Map(),
    subscriptions: new Map(),
    log: [],
    conflicts: 0,
    indicator: 'Off',
    dateTime: undefined,
    sequence: 0,
  }
}

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
}
