import { Declined } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import {
  accessModes,
  copies,
  getChannelAccess,
  getChannelInfo,
  MEDIUM_LAN,
  setChannelAccess,
} from './channel-commands.ts'
import { privileges } from './command.ts'
import { THIS_CHANNEL } from './commands.ts'
import { completionCodes } from './completion-code.ts'

/** The only one that this BMC has. */
export const LAN_CHANNEL = 1
const IPMB = 1
const MULTI_SESSION = 2
/** IPMI 2.0 §22.24: of channels that the specification itself describes. */
const IPMI_FORUM = 7154

interface Access {
  mode: number
  userLevelOff: boolean
  perMessageOff: boolean
  alertingOff: boolean
  privilege: number
}

/** Who may use the LAN channel, and how far: now, and after the BMC's next start. */
export class ChannelAccess {
  present: Access = {
    mode: accessModes.always,
    userLevelOff: false,
    perMessageOff: false,
    alertingOff: false,
    privilege: privileges.administrator,
  }
  kept: Access = this.present

  /** The most privilege that a session can have; 0: none can be had. */
  get limit(): number {
    return this.present.mode === accessModes.disabled ? 0 : this.present.privilege
  }

  restart(): void {
    this.present = this.kept
  }

  change(copy: number, changes: Partial<Access>): void {
    if (copy === copies.kept) this.kept = { ...this.kept, ...changes }
    if (copy === copies.present) this.present = { ...this.present, ...changes }
  }
}

export function isLan(channel: number): boolean {
  return channel === LAN_CHANNEL || channel === THIS_CHANNEL
}

export const channelRows: ReadonlyArray<[string, Row]> = [
  row(getChannelInfo, async ({ channel }, { sessions }) =>
    isLan(channel.number)
      ? {
          channel: { number: LAN_CHANNEL },
          medium: { type: MEDIUM_LAN },
          protocol: { type: IPMB },
          sessions: { active: sessions.count().active, support: MULTI_SESSION },
          vendor: IPMI_FORUM,
          auxiliary: new Uint8Array(2),
        }
      : noSuchChannel,
  ),

  row(getChannelAccess, async ({ channel, of }, { channelAccess }) => {
    if (!isLan(channel.number)) return noSuchChannel
    if (of.copy !== copies.kept && of.copy !== copies.present) return new Declined(completionCodes.invalidData)
    const access = of.copy === copies.kept ? channelAccess.kept : channelAccess.present
    return { access, limit: access }
  }),

  row(setChannelAccess, async ({ channel, access, limit }, { channelAccess }) => {
    if (!isLan(channel.number)) return noSuchChannel
    const { copy, ...changes } = access
    if (changes.mode > accessModes.shared) return new Declined(completionCodes.invalidData)
    channelAccess.change(copy, changes)
    channelAccess.change(limit.copy, { privilege: limit.privilege })
    return undefined
  }),
]

const noSuchChannel = new Declined(completionCodes.invalidData)
