import { Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import { decodeWith, encodeWith } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { payloadTypes } from './packet.ts'
import type { Parameter } from './parameter.ts'
import * as commands from './sol-commands.ts'
import * as parameters from './sol-parameters.ts'
import type { SolSettings } from './sol-serial.ts'

const INSTANCE = 1
const LAN_CHANNEL = 1
/** IPMI 2.0 §26.3: revision of the parameters. */
const REVISION = 0x11
const absent = (): Declined => new Declined(commands.payloadCodes.disabled)

export const solRows: [string, Row][] = [
  row(commands.activatePayload, async ({ type, instance, sol: asked }, { sol }, session) => {
    if (!sol || type.payload !== payloadTypes.sol) return absent()
    if (instance.number !== INSTANCE) return new Declined(commands.payloadCodes.limitReached)
    return sol.activate(session, asked)
  }),

  row(commands.deactivatePayload, async ({ type, instance }, { sol }, session) => {
    if (!sol || type.payload !== payloadTypes.sol) return absent()
    if (instance.number !== INSTANCE) return new Declined(commands.payloadCodes.alreadyInactive)
    return sol.deactivate(session)
  }),

  row(commands.getPayloadActivationStatus, async ({ type }, { sol }) => {
    if (!sol || type !== payloadTypes.sol) return new Declined(completionCodes.invalidData)
    return { capacity: { most: INSTANCE }, active: sol.holder ? 1 : 0 }
  }),

  row(commands.getPayloadInstanceInfo, async ({ type, instance }, { sol }) => {
    if (!sol || type !== payloadTypes.sol || instance !== INSTANCE) return new Declined(completionCodes.invalidData)
    return { session: sol.holder?.id ?? 0, serialPort: 1, reserved: new Uint8Array(7) }
  }),

  row(commands.getUserPayloadAccess, async (_request, { sol }) => ({
    standard: { message: false, sol: sol !== undefined, oem: false },
    reserved: new Uint8Array(3),
  })),

  row(commands.getChannelPayloadSupport, async (_request, { sol }) => ({
    standard: { message: true, sol: sol !== undefined, oem: false },
    standard8: 0,
    setup: 0x3f,
    setup8: 0,
    oem: new Uint8Array(4),
  })),

  row(commands.getChannelPayloadVersion, async ({ type }, { sol }) => {
    const known = type === payloadTypes.message || (sol && type === payloadTypes.sol)
    return known ? { version: { minor: 0, major: 1 } } : new Declined(completionCodes.invalidData)
  }),

  row(commands.setSolConfiguration, async ({ selector, data }, { sol }) => {
    const found = sol && fields.get(selector)
    if (!found) return new Declined(commands.solCodes.notSupported)
    if (!found.set) return new Declined(commands.solCodes.readOnly)
    found.set(sol.settings, data)
    return undefined
  }),

  row(commands.getSolConfiguration, async ({ channel, selector }, { sol, udpPort }) => {
    const found = sol && fields.get(selector)
    if (!found) return new Declined(commands.solCodes.notSupported)
    return { revision: REVISION, data: channel.revisionOnly ? new Uint8Array(0) : found.get(sol.settings, udpPort) }
  }),
]

interface Field {
  get(settings: SolSettings, udpPort: number): Uint8Array
  set: ((settings: SolSettings, data: Uint8Array) => void) | undefined
}

function field<T>(
  { selector, data: codec }: Parameter<T>,
  get: (settings: SolSettings, udpPort: number) => T,
  set?: (value: T) => Partial<SolSettings>,
): [number, Field] {
  return [
    selector,
    {
      get: (settings, udpPort) => encodeWith(codec, get(settings, udpPort)),
      set: set && ((settings, data) => void Object.assign(settings, set(decodeWith(codec, data)))),
    },
  ]
}

const fields = new Map<number, Field>([
  // §26.2: each parameter takes effect at once here, so there is nothing to lock.
  field(
    parameters.solSetInProgress,
    () => ({ state: { phase: 0 } }),
    () => ({}),
  ),
  field(
    parameters.solEnable,
    ({ enabled }) => ({ state: { enabled } }),
    ({ state }) => state,
  ),
  field(
    parameters.solAuthentication,
    ({ privilege, needsAuthentication, needsEncryption }) => ({
      need: { privilege, authentication: needsAuthentication, encryption: needsEncryption },
    }),
    ({ need }) => ({
      privilege: need.privilege,
      needsAuthentication: need.authentication,
      needsEncryption: need.encryption,
    }),
  ),
  field(
    parameters.solAccumulation,
    ({ accumulateMs: intervalMs, threshold }) => ({ intervalMs, threshold }),
    ({ intervalMs, threshold }) => ({ accumulateMs: intervalMs, threshold }),
  ),
  field(
    parameters.solRetry,
    ({ retries: count, retryMs: intervalMs }) => ({ retries: { count }, intervalMs }),
    ({ retries, intervalMs }) => ({ retries: retries.count, retryMs: intervalMs }),
  ),
  field(
    parameters.solKeptBitRate,
    (settings) => settings.keptBitRate,
    (keptBitRate) => ({ keptBitRate }),
  ),
  field(
    parameters.solBitRate,
    (settings) => settings.bitRate,
    (bitRate) => ({ bitRate }),
  ),
  field(parameters.solChannel, () => LAN_CHANNEL),
  field(parameters.solPort, (_settings, udpPort) => udpPort),
])
