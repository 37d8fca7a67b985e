import { Declined } from './bmc-options.ts'
import { LAN_CHANNEL } from './bmc-channel.ts'
import { type Row, row } from './bmc-row.ts'
import { encodeWith } from './command.ts'
import { completionCodes } from './completion-code.ts'
import * as commands from './dcmi-commands.ts'

const { DCMI, limitCodes, TEXT_PART } = commands
const VERSION = { major: 1, minor: 5 }
const REVISION = 2
const SYSTEM_POWER = 1
/** DCMI 1.5 §6.4.3, §6.4.6. */
const MOST_TEXT = 63
const SEL_ENTRIES = 512
/** Asset tag and GUID. */
const IDENTIFIED_BY = 0x05
const NO_CHANNEL = 0xff
const BMC = 0x20

type Limit = Pick<
  Parameters<typeof commands.setPowerLimit.request.write>[1],
  'action' | 'watts' | 'correctionMs' | 'periodSeconds'
>

/** What DCMI adds to a BMC: a limit of power, an asset tag, a name to ask for an address by. */
export class Dcmi {
  limit: Limit = { action: 0, watts: 0, correctionMs: 1000, periodSeconds: 1 }
  limited = false
  assetTag: Uint8Array = new Uint8Array(0)
  controllerId: Uint8Array

  constructor(guid: Uint8Array) {
    this.controllerId = Buffer.from(`DCMI${Buffer.from(guid.subarray(-6)).toString('hex')}\0`)
  }
}

/** Table 6-2: without a power reading there is no power management, and nothing is said of its statistics. */
function capabilities(selector: number, power: boolean): Uint8Array | undefined {
  switch (selector) {
    case 1:
      return Uint8Array.of(0, power ? 1 : 0, 0)
    case 2:
      return Uint8Array.of(SEL_ENTRIES & 0xff, SEL_ENTRIES >> 8, IDENTIFIED_BY, 0, 0)
    case 3:
      return Uint8Array.of(BMC, 0)
    case 4:
      return Uint8Array.of(LAN_CHANNEL, NO_CHANNEL, NO_CHANNEL)
    case 5:
      return power ? Uint8Array.of(1, 1) : undefined
    default:
      return undefined
  }
}

export const dcmiRows: ReadonlyArray<[string, Row]> = [
  row(commands.getDcmiCapabilities, async ({ selector }, { inventory }) => {
    const data = capabilities(selector, inventory.power !== undefined)
    return data ? { group: DCMI, ...VERSION, revision: REVISION, data } : new Declined(completionCodes.invalidData)
  }),

  row(commands.getPowerReading, async ({ mode }, { inventory, eventLog }) => {
    if (!inventory.power) return new Declined(completionCodes.invalidCommand)
    if (mode !== SYSTEM_POWER) return new Declined(completionCodes.invalidData)
    return { group: DCMI, ...(await inventory.power()), seconds: eventLog.now(), state: { active: true } }
  }),

  row(commands.getPowerLimit, async (_request, { inventory, dcmi }) => {
    if (!inventory.power) return new Declined(completionCodes.invalidCommand)
    const response = { group: DCMI, reserved: new Uint8Array(2), ...dcmi.limit, spare: new Uint8Array(2) } as const
    return dcmi.limited
      ? response
      : new Declined(limitCodes.notActive, encodeWith(commands.getPowerLimit.response, response))
  }),

  row(commands.setPowerLimit, async ({ action, watts, correctionMs, periodSeconds }, { inventory, dcmi }) => {
    if (!inventory.power) return new Declined(completionCodes.invalidCommand)
    if (watts === 0) return new Declined(limitCodes.wattsOutOfRange)
    if (correctionMs === 0) return new Declined(limitCodes.correctionOutOfRange)
    if (periodSeconds === 0) return new Declined(limitCodes.periodOutOfRange)
    dcmi.limit = { action, watts, correctionMs, periodSeconds }
    return { group: DCMI }
  }),

  row(commands.activatePowerLimit, async ({ activate }, { inventory, dcmi }) => {
    if (!inventory.power) return new Declined(completionCodes.invalidCommand)
    if (activate.active && dcmi.limit.watts === 0) return new Declined(completionCodes.notInPresentState)
    dcmi.limited = activate.active
    return { group: DCMI }
  }),

  row(commands.getAssetTag, async (request, { dcmi }) => part(dcmi.assetTag, request)),
  row(commands.getControllerId, async (request, { dcmi }) => part(dcmi.controllerId, request)),

  row(commands.setAssetTag, async (request, { dcmi }) => {
    const written = write(dcmi.assetTag, request, MOST_TEXT)
    if (written instanceof Declined) return written
    dcmi.assetTag = written
    return { group: DCMI, total: written.length }
  }),

  row(commands.setControllerId, async (request, { dcmi }) => {
    const written = write(dcmi.controllerId, request, MOST_TEXT + 1)
    if (written instanceof Declined) return written
    dcmi.controllerId = written
    return { group: DCMI, total: written.length }
  }),
]

function part(text: Uint8Array, { offset, count }: { offset: number; count: number }) {
  if (offset > text.length || count > TEXT_PART) return new Declined(completionCodes.outOfRange)
  return { group: DCMI, total: text.length, data: text.subarray(offset, offset + count) } as const
}

function write(
  text: Uint8Array,
  { offset, count, data }: { offset: number; count: number; data: Uint8Array },
  most: number,
): Uint8Array | Declined {
  if (count > TEXT_PART || data.length < count) return new Declined(completionCodes.invalidLength)
  if (offset > text.length || offset + count > most) return new Declined(completionCodes.outOfRange)
  return Uint8Array.of(...text.subarray(0, offset), ...data.subarray(0, count))
}
