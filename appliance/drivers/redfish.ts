import { type BootTarget, readBoot, setBoot } from '@bloomery/redfish/boot.ts'
import { IncorrectCredentials, RedfishError } from '@bloomery/redfish/error.ts'
import { readPower, reset, type ResetAction } from '@bloomery/redfish/power.ts'
import { createHash } from 'node:crypto'
import type { BootDevice } from '../../contract/resources.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, BmcPassword, ConnectBmc, DriverInfo, PowerAction } from './bmc.ts'
import { setOwnPassword } from './redfish-maintenance.ts'
import { redfishManagement, type UseRedfish } from './redfish-management.ts'
import { openSession, redfishInfo, type RedfishSession } from './redfish-session.ts'

/** BMCs over Redfish. Connections and sessions are kept and shared between the plans of one machine. */
export interface RedfishDriver {
  connect: ConnectBmc
  close(): Promise<void>
}

export function openRedfishDriver(): RedfishDriver {
  const sessions = new Map<string, Promise<RedfishSession>>()

  async function use<T>(driverInfo: DriverInfo, work: (session: RedfishSession) => Promise<T>): Promise<T> {
    const parsed = redfishInfo.safeParse(driverInfo)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
    }
    const key = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex')
    const session = sessions.get(key) ?? openSession(parsed.data)
    sessions.set(key, session)
    try {
      return await work(await session)
    } catch (error) {
      // One that never opened is opened anew; the others mend themselves, and know what has to be said again.
      await session.catch(() => sessions.get(key) === session && sessions.delete(key))
      if (error instanceof RedfishError || error instanceof RangeError)
        throw new HardwareError(error.message, { cause: error.cause })
      throw error
    }
  }

  return {
    connect: async (driverInfo) => redfishBmc((work) => use(driverInfo, work), driverInfo),
    async close() {
      const open = [...sessions.values()]
      sessions.clear()
      await Promise.allSettled(open.map(async (session) => (await session).bmc.close()))
    },
  }
}

const actions: Readonly<Record<PowerAction, ResetAction>> = { on: 'on', off: 'off', soft: 'soft off', reset: 'restart' }

/** Ironic's names for BootSourceOverrideTarget. */
const targets: Readonly<Partial<Record<BootDevice, BootTarget>>> = {
  pxe: 'Pxe',
  disk: 'Hdd',
  cdrom: 'Cd',
  bios: 'BiosSetup',
}

function redfishBmc(
  use: <T>(work: (session: RedfishSession) => Promise<T>) => Promise<T>,
  driverInfo: DriverInfo,
): Bmc {
  return {
    more: redfishManagement(use, passwordOf(use, driverInfo), driverInfo),
    power: () => use(async ({ bmc, system }) => ((await readPower(bmc, system)) === 'on' ? 'power on' : 'power off')),
    control: (action) =>
      use(async (session) => {
        const { bmc, system, again } = session
        if (again && (action === 'on' || action === 'reset'))
          await setBoot(bmc, system, { target: again.target, enabled: 'Once', mode: again.uefi ? 'UEFI' : 'Legacy' })
        await reset(bmc, system, actions[action])
      }),
    bootDevice: () =>
      use(async ({ bmc, system, again }) => {
        const { target, enabled } = await readBoot(bmc, system)
        const device = deviceOf(again?.target ?? (enabled === 'Disabled' ? undefined : target))
        return device && { boot_device: device, persistent: enabled === 'Continuous' || again !== undefined }
      }),
    setBootDevice(device, { persistent, uefi }) {
      const target = targets[device]
      if (target === undefined) return Promise.reject(new HardwareError(`Redfish has no boot device ${device}`))
      return use(async (session) => {
        const { bmc, system } = session
        const wanted = persistent ? 'Continuous' : 'Once'
        const { enabled } = await setBoot(bmc, system, { target, enabled: wanted, mode: uefi ? 'UEFI' : 'Legacy' })
        session.again = enabled === wanted ? undefined : { target, uefi }
      })
    },
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

function deviceOf(target: string | undefined): BootDevice | null {
  const found = Object.entries(targets).find(([, name]) => name === target)
  return found ? (found[0] as BootDevice) : null
}
