import { WireError } from '@bloomery/wire/error.ts'
import { BootOptions } from './bmc-boot-options.ts'
import { ChassisState } from './bmc-chassis.ts'
import { Declined, type Satellite } from './bmc-options.ts'
import { type CommandHost, type Row, row } from './bmc-row.ts'
import type { ActiveSession } from './bmc-sessions.ts'
import { sendMessage } from './bridge-commands.ts'
import type { Clock } from './clock.ts'
import { decodeMessage, encodeMessage } from './message.ts'

/** IPMI 2.0 §22.7: the controller that is asked for doesn't take the message. */
const NAK_ON_WRITE = 0x83

export type Satellites = ReadonlyMap<string, CommandHost>

/** The controllers behind a BMC: each has a chassis of its own, all else is the BMC's. */
export function satellitesOf(satellites: readonly Satellite[], host: CommandHost, clock: Clock): Satellites {
  return new Map(
    satellites.map(({ channel, address, chassis, satellites: behind = [] }) => {
      const bootOptions = new BootOptions(chassis, clock)
      const own = { ...host, chassis, bootOptions, chassisState: new ChassisState(clock) }
      return [keyOf(channel, address), { ...own, satellites: satellitesOf(behind, own, clock) }]
    }),
  )
}

/** Answers any command: network function, code, data. */
type Run = (
  netFn: number,
  code: number,
  data: Uint8Array,
  host: CommandHost,
  session: ActiveSession | undefined,
) => Promise<Uint8Array>

/** The answer goes inside that of Send Message, so that who repeats the one gets the other. */
export function bridgeRow(run: Run): [string, Row] {
  return row(sendMessage, async ({ to, message }, host, session) => {
    const { netFn, command, sequence, to: address, from, data } = decodeMessage(message)
    if (netFn % 2 !== 0) throw new WireError('a response where a request is due')
    const satellite = host.satellites.get(keyOf(to.channel, address))
    if (!satellite) return new Declined(NAK_ON_WRITE)
    const answer = await run(netFn, command, data, satellite, session)
    return encodeMessage({ netFn: netFn + 1, command, sequence, to: from, from: address, data: answer })
  })
}

function keyOf(channel: number, address: number): string {
  return `${channel} ${address}`
}
