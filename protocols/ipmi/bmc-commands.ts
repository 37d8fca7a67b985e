import { WireError } from '@bloomery/wire/error.ts'
import { eventLogRows } from './bmc-event-log.ts'
import { inventoryRows } from './bmc-inventory.ts'
import { Declined } from './bmc-options.ts'
import { type CommandHost, type Row, row, rowKey } from './bmc-row.ts'
import { challengeRow } from './bmc-session-15.ts'
import { sensorRows } from './bmc-sensors.ts'
import type { ActiveSession } from './bmc-sessions.ts'
import { writeCipherSuiteRecords } from './cipher-suite.ts'
import { privileges } from './command.ts'
import {
  chassisControl,
  closeSession,
  getChannelAuthCapabilities,
  getChannelCipherSuites,
  getChassisStatus,
  getDeviceId,
  getSystemBootOptions,
  setSessionPrivilege,
  setSystemBootOptions,
} from './commands.ts'
import { completionCodes } from './completion-code.ts'

const LAN_CHANNEL = 1
const BOOT_OPTIONS_VERSION = 1
const BLOCK = 16
/** §22.18, §22.19: these commands' own completion codes. */
const PRIVILEGE_TOO_HIGH = 0x81
const NO_SUCH_SESSION = 0x87
/** §28.2, power restore policy 0: after mains come back the chassis stays off. */
const STAYS_OFF = 0

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
    if (error instanceof Declined) return Uint8Array.of(error.code)
    if (error instanceof WireError) return Uint8Array.of(completionCodes.invalidData)
    host.onError(error)
    return Uint8Array.of(completionCodes.unspecified)
  }
}

const rows = new Map<string, Row>([
  ...eventLogRows,
  ...sensorRows,
  ...inventoryRows,
  challengeRow,

  row(getDeviceId, async (_request, { device }) => device),

  row(getChannelAuthCapabilities, async (_request, { logins15, kgSet }) => ({
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
      nullUsers: false,
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

  row(getChassisStatus, async (_request, { chassis }) => ({
    power: {
      on: (await chassis.power()) === 'on',
      overload: false,
      interlock: false,
      fault: false,
      controlFault: false,
      restorePolicy: STAYS_OFF,
    },
    lastEvent: { acFailed: false, overload: false, interlock: false, fault: false, onByCommand: false },
    misc: {
      intrusion: false,
      frontPanelLockout: false,
      driveFault: false,
      coolingFault: false,
      identify: 0,
      canIdentify: false,
    },
    frontPanel: 0,
  })),

  row(chassisControl, async ({ action }, { chassis, bootOptions }) => {
    // §28.3: what only makes sense on a running machine is declined on one that is off.
    const needsPower = action !== 'on' && action !== 'off'
    if (needsPower && (await chassis.power()) === 'off') return new Declined(completionCodes.notInPresentState)
    await bootOptions.controlled()
    await chassis.control(action)
    return undefined
  }),

  row(setSystemBootOptions, async ({ parameter, data }, { bootOptions }) =>
    (await bootOptions.set(parameter.selector, parameter.locked, data))
      ? undefined
      : new Declined(completionCodes.parameterNotSupported),
  ),

  row(getSystemBootOptions, async ({ selector }, { bootOptions }) => {
    const found = await bootOptions.get(selector & 0x7f)
    if (!found) return new Declined(completionCodes.parameterNotSupported)
    const { locked, data } = found
    return { version: BOOT_OPTIONS_VERSION, parameter: { selector: selector & 0x7f, locked }, data }
  }),
])
