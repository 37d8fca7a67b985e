import { Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import { completionCodes } from './completion-code.ts'
import {
  coldReset,
  DCMI,
  getDeviceGuid,
  getFruAreaInfo,
  getPowerReading,
  getSelfTestResults,
  getSystemGuid,
  readFruData,
  warmReset,
} from './inventory-commands.ts'

const ALL_WELL = 0x55
const SYSTEM_POWER = 1
/** What fits into one LAN message with room to spare (IPMI 2.0 §13.6: 45 bytes are what every BMC takes). */
const MOST = 32

export const inventoryRows: ReadonlyArray<[string, Row]> = [
  row(coldReset, async (_request, { sessions }) => sessions.closeAll()),
  row(warmReset, async (_request, { sessions }) => sessions.closeAll()),
  row(getSelfTestResults, async () => ({ result: ALL_WELL, detail: 0 })),
  row(getDeviceGuid, async (_request, { guid }) => ({ guid })),
  row(getSystemGuid, async (_request, { guid }) => ({ guid })),

  row(getFruAreaInfo, async ({ device }, { inventory: { fru } }) => {
    if (device !== 0 || fru.length === 0) return new Declined(completionCodes.notPresent)
    return { size: fru.length, access: { byWords: false } }
  }),

  row(readFruData, async ({ device, offset, count }, { inventory: { fru } }) => {
    if (device !== 0 || fru.length === 0) return new Declined(completionCodes.notPresent)
    if (offset >= fru.length) return new Declined(completionCodes.outOfRange)
    const data = fru.subarray(offset, offset + Math.min(count, MOST))
    return { count: data.length, data }
  }),

  row(getPowerReading, async (request, { inventory, eventLog }) => {
    if (request.group !== DCMI || !inventory.power) return new Declined(completionCodes.invalidCommand)
    if (request.mode !== SYSTEM_POWER) return new Declined(completionCodes.invalidData)
    return { group: DCMI, ...(await inventory.power()), seconds: eventLog.now(), state: { active: true } }
  }),
]
