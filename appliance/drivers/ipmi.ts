import { readBootDevice, readPower, setPower } from '@bloomery/ipmi/chassis.ts'
import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { readIpmiHealth } from '../health/read-ipmi.ts'
import type { Bmc, ConnectBmc, DriverInfo, Memory } from './bmc.ts'
import { chooseAgain, chooseBootDevice, ipmiBootDevice } from './ipmi-boot.ts'
import { type IpmiInfo, ipmiInfo } from './ipmi-info.ts'
import { ipmiMaintenance, type UseIpmi } from './ipmi-maintenance.ts'
import { ipmiSettings } from './ipmi-settings.ts'
import { ipmiUsers } from './ipmi-users.ts'
import { IpmiSessions } from './ipmi-sessions.ts'

/** BMCs over IPMI 2.0, or 1.5 where told so. Sessions are kept and shared between the plans of one machine; all use one socket. */
export interface IpmiDriver {
  connect: ConnectBmc
  close(): Promise<void>
}

export function openIpmiDriver(idleMs?: number): IpmiDriver {
  const sessions = new IpmiSessions({ idleMs })
  return {
    connect: async (driverInfo, { memory }) => ipmiBmc(sessions, driverInfo, memory),
    close: () => sessions.close(),
  }
}

function ipmiBmc(sessions: IpmiSessions, driverInfo: DriverInfo, memory: Memory): Bmc {
  const useWith = async <T>(info: IpmiInfo, work: (session: IpmiSession, info: IpmiInfo) => Promise<T>): Promise<T> =>
    sessions.use(info, (session) => work(session, info))
  const use: UseIpmi = async (work) => useWith(ipmiInfo(driverInfo), work)
  // Who logs in is a user of the BMC that takes the log-in, whatever is behind it.
  const useLogin: UseIpmi = async (work) => useWith({ ...ipmiInfo(driverInfo), ipmi_bridging: 'no' }, work)
  return {
    more: {
      ...ipmiMaintenance(use, sessions, () => ipmiInfo(driverInfo)),
      ...ipmiSettings(useLogin),
      ...ipmiUsers(useLogin, sessions, () => ipmiInfo(driverInfo)),
      openConsole: (ears) => sessions.console(ipmiInfo(driverInfo), ears),
      injectNmi: () => use((session) => setPower(session, 'diag')),
      readHealth: (kept, ask) => use((session) => readIpmiHealth(session, kept, ask)),
    },
    power: () => use(async (session) => ((await readPower(session)) === 'on' ? 'power on' : 'power off')),
    control: (action) =>
      use(async (session, info) => {
        if (action === 'on' || action === 'reset') await chooseAgain(session, info, memory)
        await setPower(session, action)
      }),
    bootDevice: () =>
      use(async (session) => {
        const { device, persistent } = await readBootDevice(session)
        return device === undefined ? null : { boot_device: device, persistent }
      }),
    async setBootDevice(name, { persistent, uefi }) {
      const device = ipmiBootDevice(name)
      await use((session, info) => chooseBootDevice(session, info, memory, { device, persistent, uefi }))
    },
  }
}
