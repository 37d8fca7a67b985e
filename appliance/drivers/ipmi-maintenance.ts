import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { raw } from '@bloomery/ipmi/command.ts'
import { getDeviceId } from '@bloomery/ipmi/commands.ts'
import { IncorrectPassword, TransportTimeout } from '@bloomery/ipmi/error.ts'
import { clearEventLog, setClock } from '@bloomery/ipmi/event-log.ts'
import { coldReset, warmReset } from '@bloomery/ipmi/inventory-commands.ts'
import { listUsers, mayLogIn, setUserPassword } from '@bloomery/ipmi/users.ts'
import { HardwareError } from '../hardware-error.ts'
import type { BmcManagement, BmcPassword } from './bmc.ts'
import type { IpmiInfo } from './ipmi-info.ts'
import { asHardwareError, type IpmiSessions } from './ipmi-sessions.ts'

export type UseIpmi = <T>(work: (session: IpmiSession, info: IpmiInfo) => Promise<T>) => Promise<T>

/** The user without a name has this id (IPMI 2.0 §22.28). */
const NULL_USER = 1
/** What an IPMI 1.5 session has room for (§22.30). */
const ROOM_15 = 16

type Maintenance = Pick<
  BmcManagement,
  'resetBmc' | 'setClock' | 'clearEventLog' | 'users' | 'readHardware' | 'sendRaw' | 'password'
>

/** What steps of cleaning and servicing do to a BMC over IPMI, which has no more than these. */
export function ipmiMaintenance(use: UseIpmi, sessions: IpmiSessions, info: () => IpmiInfo): Maintenance {
  return {
    resetBmc: (how = 'cold') =>
      use(async (session) => {
        // Some go before they have answered; whether it comes back is for the caller to see.
        await session.send(how === 'cold' ? coldReset : warmReset, undefined).catch((error: unknown) => {
          if (!(error instanceof TransportTimeout)) throw error
        })
        sessions.drop(info())
      }),
    setClock: (at, offset) => use((session) => setClock(session, new Date(at), minutesOf(offset))),
    clearEventLog: () => use((session) => clearEventLog(session)),
    users: () => use(async (session) => (await listUsers(session)).filter(mayLogIn).map(({ name }) => name)),
    readHardware: () =>
      use(async (session) => {
        const { firmware, firmwareMinor } = await session.send(getDeviceId, undefined)
        const version = `${firmware.major}.${firmwareMinor.toString(16).padStart(2, '0')}`
        const bmc = { component: 'bmc', version, vendor: null, model: null, serial_number: null }
        return { firmware: [bmc] }
      }),
    sendRaw: ([netFn = 0, code = 0, ...data]) =>
      use((session) => session.send(raw(netFn, code), Uint8Array.from(data))),
    password: ipmiPassword(use, sessions, info),
  }
}

function ipmiPassword(use: UseIpmi, sessions: IpmiSessions, info: () => IpmiInfo): BmcPassword {
  return {
    key: 'ipmi_password',
    get room() {
      return info().ipmi_protocol_version === '1.5' ? ROOM_15 : undefined
    },
    set: (password) =>
      use(async (session, { ipmi_username: username }) =>
        setUserPassword(session, await userId(session, username), password),
      ),
    async works(password) {
      try {
        await sessions.tryPassword(info(), password)
        return true
      } catch (error) {
        if (error instanceof IncorrectPassword) return false
        throw asHardwareError(error)
      }
    },
  }
}

async function userId(session: IpmiSession, username: string): Promise<number> {
  if (username === '') return NULL_USER
  const named = (await listUsers(session)).filter(({ name }) => name === username)
  const found = named.find(mayLogIn) ?? named[0]
  if (found) return found.id
  throw new HardwareError(`the BMC lists no user ${JSON.stringify(username)}: its password has to be set on the BMC`)
}

/** `+01:00` is 60. */
function minutesOf(offset: string | undefined): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):(\d{2})$/.exec(offset ?? '') ?? []
  if (sign === undefined) return undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
