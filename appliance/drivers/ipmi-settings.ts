import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { type Privilege, privileges } from '@bloomery/ipmi/command.ts'
import { TransportTimeout } from '@bloomery/ipmi/error.ts'
import { readLan, writeLan } from '@bloomery/ipmi/lan.ts'
import { putUser } from '@bloomery/ipmi/user-changes.ts'
import { listUsers } from '@bloomery/ipmi/users.ts'
import { armWatchdog, readWatchdog } from '@bloomery/ipmi/watchdog.ts'
import type { BmcAccount } from '../../contract/bmc-settings.ts'
import type { BmcAccounts, BmcManagement } from './bmc.ts'
import type { UseIpmi } from './ipmi-maintenance.ts'

/** What a BMC is told of its own connection, and to watch over its machine. */
export function ipmiSettings(use: UseIpmi): Pick<BmcManagement, 'lan' | 'watchdog'> {
  return {
    lan: {
      read: () =>
        use(async (session) => {
          const { source, address, mask, gateway, mac, vlan } = await readLan(session)
          const said = { source, address, mask, gateway, mac, vlan }
          return { ...nothing, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) }
        }),
      write: ({ vlan, ...wish }) =>
        use(async (session) => {
          const changes = { ...wish, ...(vlan === undefined ? {} : { vlan: vlan ?? undefined }) }
          await writeLan(session, changes).catch((error: unknown) => {
            // With another address or VLAN, or one of DHCP, it answers elsewhere from here on.
            const moves = wish.address !== undefined || wish.source !== undefined || vlan !== undefined
            if (!moves || !(error instanceof TransportTimeout)) throw error
          })
        }),
    },
    watchdog: {
      read: () =>
        use(async (session) => {
          const { action = null, remaining = null, ...timer } = await readWatchdog(session)
          return { ...timer, action, remaining }
        }),
      set: (wish) =>
        use(async (session) => {
          const { action = 'none', timeout } = await readWatchdog(session)
          await armWatchdog(session, {
            running: wish.running,
            action: wish.action ?? action,
            timeout: wish.timeout ?? timeout,
          })
        }),
    },
  }
}

const nothing = { source: null, address: null, mask: null, gateway: null, mac: null, vlan: null }

export function ipmiAccounts(use: UseIpmi): BmcAccounts {
  return {
    list: () => use(async (session) => accountsOf(session)),
    put: ({ name, password, privilege, enabled }) =>
      use((session) =>
        putUser(session, {
          name,
          password: password ?? undefined,
          privilege: privilege ?? undefined,
          enabled: enabled ?? undefined,
        }),
      ),
  }
}

async function accountsOf(session: IpmiSession): Promise<BmcAccount[]> {
  const levels = Object.entries(privileges) as [Privilege, number][]
  return (await listUsers(session)).map(({ name, enabled, privilege }) => {
    const level = levels.find(([, number]) => number === privilege)?.[0]
    return { name, enabled, privilege: level === undefined || level === 'callback' ? 'none' : level }
  })
}
