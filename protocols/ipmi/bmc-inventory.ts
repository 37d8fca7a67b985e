import { Declined } from './bmc-options.ts'
import { type CommandHost, type Row, row } from './bmc-row.ts'
import { completionCodes } from './completion-code.ts'
import {
  coldReset,
  getDeviceGuid,
  getFruAreaInfo,
  getSelfTestResults,
  getSystemGuid,
  readFruData,
  warmReset,
} from './inventory-commands.ts'

const ALL_WELL = 0x55
/** What fits into one LAN message with room to spare (IPMI 2.0 §13.6: 45 bytes are what every BMC takes). */
const MOST = 32

export const inventoryRows: ReadonlyArray<[string, Row]> = [
  row(coldReset, async (_request, host) => restart(host)),
  row(warmReset, async (_request, host) => restart(host)),
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
]

/** What a BMC forgets: who is logged in, and what was set for the time being. */
function restart({ sessions, channelAccess, lan }: CommandHost): void {
  sessions.closeAll()
  channelAccess.restart()
  lan.restart()
}
