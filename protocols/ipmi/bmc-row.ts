import { type BmcOptions, type Chassis, Declined, type Inventory } from './bmc-options.ts'
import type { BootOptions } from './bmc-boot-options.ts'
import type { EventLog } from './bmc-event-log.ts'
import type { ActiveSession, BmcSessions } from './bmc-sessions.ts'
import type { CipherSuite } from './cipher-suite.ts'
import { type Command, decodeWith, encodeWith, privileges, type ResponseOf } from './command.ts'
import type { getDeviceId } from './commands.ts'
import { completionCodes } from './completion-code.ts'

export interface CommandHost {
  chassis: Chassis
  bootOptions: BootOptions
  sessions: BmcSessions
  eventLog: EventLog
  inventory: Inventory
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
      async run(data, host, session) {
        const result = await handle(decodeWith(command.request, data), host, session)
        if (result instanceof Declined) return Uint8Array.of(result.code)
        return Uint8Array.of(completionCodes.ok, ...encodeWith(command.response, result))
      },
    },
  ]
}

export function rowKey(netFn: number, code: number): string {
  return `${netFn} ${code}`
}
