import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { IncorrectPassword } from '@bloomery/ipmi/error.ts'
import { listUsers, mayLogIn, setUserPassword } from '@bloomery/ipmi/users.ts'
import { HardwareError } from '../hardware-error.ts'
import type { BmcManagement, BmcPassword } from './bmc.ts'
import type { IpmiInfo } from './ipmi-info.ts'
import { ipmiAccounts } from './ipmi-settings.ts'
import type { UseIpmi } from './ipmi-maintenance.ts'
import { asHardwareError, type IpmiSessions } from './ipmi-sessions.ts'

/** The user without a name has this id (IPMI 2.0 §22.28). */
const NULL_USER = 1
/** What an IPMI 1.5 session has room for (§22.30). */
const ROOM_15 = 16

/** Who may log in to a BMC, and what with. */
export function ipmiUsers(
  use: UseIpmi,
  sessions: IpmiSessions,
  info: () => IpmiInfo,
): Pick<BmcManagement, 'users' | 'password' | 'accounts' | 'ownName'> {
  return {
    accounts: ipmiAccounts(use),
    ownName: () => info().ipmi_username,
    users: () => use(async (session) => (await listUsers(session)).filter(mayLogIn).map(({ name }) => name)),
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
