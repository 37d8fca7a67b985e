import { type BmcOptions, type Chassis, Declined, type Inventory } from './bmc-options.ts'
import type { Satellites } from './bmc-bridge.ts'
import type { BootOptions } from './bmc-boot-options.ts'
import type { ChannelAccess } from './bmc-channel.ts'
import type { ChassisState } from './bmc-chassis.ts'
import type { Dcmi } from './bmc-dcmi.ts'
import type { EventLog } from './bmc-event-log.ts'
import type { LanConfiguration } from './bmc-lan.ts'
import type { SensorSettings } from './bmc-sensor-settings.ts'
import type { LoginHost15 } from './bmc-session-15.ts'
import type { ActiveSession, BmcSessions } from './bmc-sessions.ts'
import type { Users } from './bmc-users.ts'
import type { Watchdog } from './bmc-watchdog.ts'
import type { CipherSuite } from './cipher-suite.ts'
import { type Command, decodeWith, encodeWith, privileges, type ResponseOf } from './command.ts'
import type { getDeviceId } from './commands.ts'
import { completionCodes } from './completion-code.ts'
import type { SolHost } from './sol-bmc.ts'

export interface CommandHost {
  chassis: Chassis
  chassisState: ChassisState
  bootOptions: BootOptions
  users: Users
  channelAccess: ChannelAccess
  lan: LanConfiguration
  watchdog: Watchdog
  dcmi: Dcmi
  sensorSettings: SensorSettings
  sessions: BmcSessions
  logins15: LoginHost15
  kgSet: boolean
  eventLog: EventLog
  satellites: Satellites
  inventory: Inventory
  sol: SolHost | undefined
  udpPort: number
  guid: Uint8Array
  suites: readonly CipherSuite[]
  device: ResponseOf<typeof getDeviceId>
  onError: BmcOptions['onError']
}

/** Handlers of commands that need no session are given none. */
type Handle<Q, R> = (request: Q, host: CommandHost, session: ActiveSession | undefined) => Promise<R | Declined>

export interface Row {
  needs: number
  run(data: Uint8Array, host: CommandHost, session: ActiveSession | undefined): Promise<Uint8Array>
}

/** One line of the BMC's table: a command, and what it does. */
export function row<Q, R>(command: Command<Q, R>, handle: Handle<Q, R>): [string, Row] {
  const needs = command.needs === 'none' ? 0 : privileges[command.needs]
  return [
    rowKey(command.netFn, command.code),
    {
      needs,
      run: (data, host, session) => runRow(command, data, (request) => handle(request, host, session)),
    },
  ]
}

/** Data of the response, completion code first. */
export async function runRow<Q, R>(
  command: Command<Q, R>,
  data: Uint8Array,
  handle: (request: Q) => Promise<R | Declined>,
): Promise<Uint8Array> {
  const result = await handle(decodeWith(command.request, data))
  if (result instanceof Declined) return Uint8Array.of(result.code, ...result.data)
  return Uint8Array.of(completionCodes.ok, ...encodeWith(command.response, result))
}

export function rowKey(netFn: number, code: number): string {
  return `${netFn} ${code}`
}
