import { IncorrectCredentials, RedfishError } from '@bloomery/redfish/error.ts'
import { readPower, reset, type ResetAction } from '@bloomery/redfish/power.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, BmcPassword, ConnectBmc, DriverInfo, Memory, PowerAction } from './bmc.ts'
import { chooseAgain, redfishBoot } from './redfish-boot.ts'
import { setOwnPassword } from './redfish-maintenance.ts'
import { redfishManagement, type UseRedfish } from './redfish-management.ts'
import { openSession, redfishInfo } from './redfish-session.ts'
import { RedfishSessions } from './redfish-sessions.ts'

/** BMCs over Redfish. Connections and sessions are kept and shared between the plans of one machine. */
export interface RedfishDriver {
  connect: ConnectBmc
  close(): Promise<void>
}

export function openRedfishDriver(sessions = new RedfishSessions()): RedfishDriver {
  return {
    connect: async (driverInfo, { memory }) => redfishBmc((work) => sessions.use(driverInfo, work), driverInfo, memory),
    close: () => sessions.close(),
  }
}

const actions: Readonly<Record<PowerAction, ResetAction>> = { on: 'on', off: 'off', soft: 'soft off', reset: 'restart' }

function redfishBmc(use: UseRedfish, driverInfo: DriverInfo, memory: Memory): Bmc {
  return {
    more: redfishManagement(use, passwordOf(use, driverInfo), driverInfo),
    power: () => use(async ({ bmc, system }) => ((await readPower(bmc, system)) === 'on' ? 'power on' : 'power off')),
    control: (action) =>
      use(async (session) => {
        if (action === 'on' || action === 'reset') await chooseAgain(session, memory)
        await reset(session.bmc, session.system, actions[action])
      }),
    ...redfishBoot(use, memory),
  }
}

function passwordOf(use: UseRedfish, driverInfo: DriverInfo): BmcPassword {
  return {
    key: 'redfish_password',
    set: (password) => setOwnPassword(use, redfishInfo.parse(driverInfo).redfish_username)(password),
    async works(password) {
      try {
        const { bmc } = await openSession({ ...redfishInfo.parse(driverInfo), redfish_password: password })
        await bmc.close()
        return true
      } catch (error) {
        if (error instanceof IncorrectCredentials) return false
        throw error instanceof RedfishError ? new HardwareError(error.message, { cause: error.cause }) : error
      }
    },
  }
}
