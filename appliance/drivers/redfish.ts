import { type BootTarget, readBoot, setBoot } from '@bloomery/redfish/boot.ts'
import { connect, type Redfish } from '@bloomery/redfish/client.ts'
import { IncorrectCredentials, RedfishError } from '@bloomery/redfish/error.ts'
import { readPower, reset, type ResetAction } from '@bloomery/redfish/power.ts'
import { findSystem, type System } from '@bloomery/redfish/system.ts'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { BootDevice } from '../../contract/resources.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, BmcPassword, ConnectBmc, DriverInfo, PowerAction } from './bmc.ts'
import { setOwnPassword } from './redfish-maintenance.ts'
import { redfishManagement, type UseRedfish } from './redfish-management.ts'

const TIMEOUT_MS = 60_000

const flag = z.union([z.boolean(), z.stringbool()])

/** driver_info of hardware type `redfish` (reference §4.2); the API has checked it once, but this is where it counts. */
const info = z.object({
  redfish_address: z.string().min(1).max(2048),
  redfish_system_id: z.string().min(1).max(1024).optional(),
  redfish_username: z.string().default(''),
  redfish_password: z.string().default(''),
  // A path: of a file on this appliance with the authorities to trust.
  redfish_verify_ca: z.union([flag, z.string().min(1).max(4096)]).default(true),
  redfish_auth_type: z.enum(['basic', 'session', 'auto']).default('auto'),
  redfish_tls_minimum_version: z
    .union([z.enum(['1.1', '1.2', '1.3']), z.literal([1.1, 1.2, 1.3]).transform((version) => `${version}` as const)])
    .default('1.2'),
  redfish_tls_ciphers: z.string().min(1).max(1024).optional(),
})
type Info = z.infer<typeof info>

interface Session {
  bmc: Redfish
  system: System
  /** What has to be said again at each start, because this BMC can't keep it. */
  again: { target: BootTarget; uefi: boolean } | undefined
}

/** BMCs over Redfish. Connections and sessions are kept and shared between the plans of one machine. */
export interface RedfishDriver {
  connect: ConnectBmc
  close(): Promise<void>
}

export function openRedfishDriver(): RedfishDriver {
  const sessions = new Map<string, Promise<Session>>()

  async function use<T>(driverInfo: DriverInfo, work: (session: Session) => Promise<T>): Promise<T> {
    const parsed = info.safeParse(driverInfo)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
    }
    const key = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex')
    const session = sessions.get(key) ?? open(parsed.data)
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

function redfishBmc(use: <T>(work: (session: Session) => Promise<T>) => Promise<T>, driverInfo: DriverInfo): Bmc {
  return {
    more: redfishManagement(use, passwordOf(use, driverInfo)),
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
    set: (password) => setOwnPassword(use, info.parse(driverInfo).redfish_username)(password),
    async works(password) {
      try {
        const { bmc } = await open({ ...info.parse(driverInfo), redfish_password: password })
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

async function open(of: Info): Promise<Session> {
  const bmc = await connect({
    address: of.redfish_address,
    username: of.redfish_username,
    password: of.redfish_password,
    auth: of.redfish_auth_type,
    tls: {
      verify: await authorities(of.redfish_verify_ca),
      minimumVersion: `TLSv${of.redfish_tls_minimum_version}`,
      ...(of.redfish_tls_ciphers === undefined ? {} : { ciphers: of.redfish_tls_ciphers }),
    },
    timeoutMs: TIMEOUT_MS,
  })
  try {
    return { bmc, system: await findSystem(bmc, of.redfish_system_id), again: undefined }
  } catch (error) {
    await bmc.close()
    throw error
  }
}

async function authorities(verify: boolean | string): Promise<boolean | string> {
  if (typeof verify === 'boolean') return verify
  try {
    return await readFile(verify, 'utf8')
  } catch (error) {
    throw new HardwareError(`driver_info/redfish_verify_ca: the appliance can't read ${verify}`, { cause: error })
  }
}
