import { WireError } from '@bloomery/wire/error.ts'
import { bridgeRow } from './bmc-bridge.ts'
import { channelRows, LAN_CHANNEL } from './bmc-channel.ts'
import { chassisRows } from './bmc-chassis.ts'
import { dcmiRows } from './bmc-dcmi.ts'
import { eventLogRows } from './bmc-event-log.ts'
import { inventoryRows } from './bmc-inventory.ts'
import { lanRows } from './bmc-lan.ts'
import { Declined } from './bmc-options.ts'
import { type CommandHost, type Row, row, rowKey } from './bmc-row.ts'
import { challengeRow } from './bmc-session-15.ts'
import { sensorSettingRows } from './bmc-sensor-settings.ts'
import { sensorRows } from './bmc-sensors.ts'
import type { ActiveSession } from './bmc-sessions.ts'
import { userRows } from './bmc-users.ts'
import { watchdogRows } from './bmc-watchdog.ts'
import { writeCipherSuiteRecords } from './cipher-suite.ts'
import { privileges } from './command.ts'
import {
  closeSession,
  getChannelAuthCapabilities,
  getChannelCipherSuites,
  getDeviceId,
  setSessionPrivilege,
} from './commands.ts'
import { completionCodes } from './completion-code.ts'
import { solRows } from './sol-bmc-rows.ts'

const BLOCK = 16
/** §22.18, §22.19: these commands' own completion codes. */
const PRIVILEGE_TOO_HIGH = 0x81
const NO_SUCH_SESSION = 0x87

/** Data of the response, completion code first, to any command from anybody. */
export async function runCommand(
  netFn: number,
  code: number,
  data: Uint8Array,
  host: CommandHost,
  session: ActiveSession | undefined,
): Promise<Uint8Array> {
  const row = rows.get(rowKey(netFn, code))
  if (!row) return Uint8Array.of(completionCodes.invalidCommand)
  if (row.needs > (session?.privilege ?? 0)) return Uint8Array.of(completionCodes.insufficientPrivilege)
  try {
    return await row.run(data, host, session)
  } catch (error) {
    if (error instanceof Declined) return Uint8Array.of(error.code, ...error.data)
    if (error instanceof WireError) return Uint8Array.of(completionCodes.invalidData)
    host.onError(error)
    return Uint8Array.of(completionCodes.unspecified)
  }
}

const rows = new Map<string, Row>([
  ...eventLogRows,
  ...sensorRows,
  ...inventoryRows,
  ...solRows,
  ...sensorSettingRows,
  ...chassisRows,
  ...userRows,
  ...channelRows,
  ...lanRows,
  ...watchdogRows,
  ...dcmiRows,
  challengeRow,
  bridgeRow(runCommand),

  row(getDeviceId, async (_request, { device }) => device),

  row(getChannelAuthCapabilities, async (_request, { logins15, kgSet, users }) => ({
    channel: LAN_CHANNEL,
    types: {
      none: false,
      md2: false,
      md5: logins15.challenges !== undefined,
      straight: false,
      oem: false,
      extended: true,
    },
    logins: {
      anonymous: false,
      nullUsers: users.nullEnabled,
      namedUsers: true,
      userLevelOff: false,
      perMessageOff: false,
      kgSet,
    },
    extended: { ipmi15: logins15.challenges !== undefined, ipmi20: true },
    oem: 0,
    oemAuxiliary: 0,
  })),

  row(getChannelCipherSuites, async ({ list }, { suites }) => {
    const records = writeCipherSuiteRecords(suites)
    return { channel: LAN_CHANNEL, records: records.subarray(list.index * BLOCK, (list.index + 1) * BLOCK) }
  }),

  row(setSessionPrivilege, async ({ level }, _host, session) => {
    const asked = level & 0x0f
    if (!session || asked > session.ceiling) return new Declined(PRIVILEGE_TOO_HIGH)
    if (asked === privileges.callback) return new Declined(completionCodes.invalidData)
    if (asked !== 0) session.privilege = asked
    return { level: session.privilege }
  }),

  row(closeSession, async ({ sessionId }, { sessions }, session) => {
    const own = session?.id === sessionId
    if (!own && session?.privilege !== privileges.administrator)
      return new Declined(completionCodes.insufficientPrivilege)
    return sessions.close(sessionId) ? undefined : new Declined(NO_SUCH_SESSION)
  }),
])
