import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { raw } from '@bloomery/ipmi/command.ts'
import { getDeviceId } from '@bloomery/ipmi/commands.ts'
import { TransportTimeout } from '@bloomery/ipmi/error.ts'
import { clearEventLog, setClock } from '@bloomery/ipmi/event-log.ts'
import { coldReset, warmReset } from '@bloomery/ipmi/inventory-commands.ts'
import type { BmcManagement } from './bmc.ts'
import type { IpmiInfo } from './ipmi-info.ts'
import type { IpmiSessions } from './ipmi-sessions.ts'

export type UseIpmi = <T>(work: (session: IpmiSession, info: IpmiInfo) => Promise<T>) => Promise<T>

type Maintenance = Pick<BmcManagement, 'resetBmc' | 'setClock' | 'clearEventLog' | 'readHardware' | 'sendRaw'>

/** What steps of cleaning and servicing do to a BMC over IPMI, which has no more than these. */
export function ipmiMaintenance(use: UseIpmi, sessions: IpmiSessions, info: () => IpmiInfo): Maintenance {
  return {
    resetBmc: (how = 'cold') =>
      use(async (session) => {
        // Some go before they have answered; whether it comes back is for the caller to see.
        const command = how === 'cold' ? coldReset : warmReset
        await session.send(command, undefined, { once: true }).catch((error: unknown) => {
          if (!(error instanceof TransportTimeout)) throw error
        })
        sessions.drop(info())
      }),
    setClock: (at, offset) => use((session) => setClock(session, new Date(at), minutesOf(offset))),
    clearEventLog: () => use((session) => clearEventLog(session)),
    readHardware: () =>
      use(async (session) => {
        const { firmware, firmwareMinor } = await session.send(getDeviceId, undefined)
        const version = `${firmware.major}.${firmwareMinor.toString(16).padStart(2, '0')}`
        const bmc = { component: 'bmc', version, vendor: null, model: null, serial_number: null }
        return { firmware: [bmc] }
      }),
    sendRaw: ([netFn = 0, code = 0, ...data]) =>
      use((session) => session.send(raw(netFn, code), Uint8Array.from(data))),
  }
}

/** `+01:00` is 60. */
function minutesOf(offset: string | undefined): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):(\d{2})$/.exec(offset ?? '') ?? []
  if (sign === undefined) return undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
