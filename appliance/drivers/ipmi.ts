import { readBootDevice, readPower, setBootDevice, setPower } from '@bloomery/ipmi/chassis.ts'
import { cipherSuiteIds } from '@bloomery/ipmi/cipher-suite.ts'
import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { IpmiError } from '@bloomery/ipmi/error.ts'
import { openIpmiSocket, type IpmiSocket } from '@bloomery/ipmi/socket.ts'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { HardwareError } from '../hardware-error.ts'
import { GaveWay } from '../health/look.ts'
import { readIpmiHealth } from '../health/read-ipmi.ts'
import type { Bmc, ConnectBmc, DriverInfo } from './bmc.ts'

const TIMEOUT_MS = 20_000

const number = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)])

/** driver_info of hardware type `ipmi` (reference §4.2); the API has checked it once, but this is where it counts. */
const info = z.object({
  ipmi_address: z.string().min(1).max(255),
  ipmi_port: number.pipe(z.int().min(1).max(65_535)).default(623),
  ipmi_username: z.string().default(''),
  ipmi_password: z.string().default(''),
  ipmi_priv_level: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['administrator', 'operator', 'user', 'callback']))
    .default('administrator'),
  ipmi_hex_kg_key: z
    .string()
    .regex(/^[0-9a-fA-F]{40}$/, '40 hexadecimal digits')
    .optional(),
  ipmi_disable_boot_timeout: z.union([z.boolean(), z.stringbool()]).default(true),
  ipmi_protocol_version: z.enum(['1.5', '2.0']).default('2.0'),
  ipmi_cipher_suite: number.pipe(z.literal(cipherSuiteIds)).optional(),
})

/** BMCs over IPMI 2.0, or 1.5 where told so. Sessions are kept and shared between the plans of one machine; all use one socket. */
export interface IpmiDriver {
  connect: ConnectBmc
  close(): Promise<void>
}

export function openIpmiDriver(): IpmiDriver {
  const socket = openIpmiSocket()
  const sessions = new Map<string, Promise<IpmiSession>>()

  async function use<T>(driverInfo: DriverInfo, work: Work<T>): Promise<T> {
    const parsed = info.safeParse(driverInfo)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
    }
    const key = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex')
    const session = sessions.get(key) ?? open(socket, parsed.data)
    sessions.set(key, session)
    try {
      return await work(await session, parsed.data)
    } catch (error) {
      if (error instanceof GaveWay) throw error
      // Whatever went wrong, the next attempt starts with a fresh session.
      if (sessions.get(key) === session) {
        sessions.delete(key)
        void session.then((old) => old.close()).catch(() => {})
      }
      if (error instanceof IpmiError || error instanceof RangeError)
        throw new HardwareError(error.message, { cause: error.cause })
      throw error
    }
  }

  return {
    connect: async (driverInfo) => ipmiBmc((work) => use(driverInfo, work)),
    async close() {
      const open = [...sessions.values()]
      sessions.clear()
      await Promise.allSettled(open.map(async (session) => (await session).close()))
      await socket.close()
    },
  }
}

type Info = z.infer<typeof info>
type Work<T> = (session: IpmiSession, info: Info) => Promise<T>

function ipmiBmc(use: <T>(work: Work<T>) => Promise<T>): Bmc {
  return {
    more: {
      injectNmi: () => use((session) => setPower(session, 'diag')),
      readHealth: (kept, ask) => use((session) => readIpmiHealth(session, kept, ask)),
    },
    power: () => use(async (session) => ((await readPower(session)) === 'on' ? 'power on' : 'power off')),
    control: (action) => use((session) => setPower(session, action)),
    bootDevice: () =>
      use(async (session) => {
        const { device, persistent } = await readBootDevice(session)
        return device === undefined ? null : { boot_device: device, persistent }
      }),
    setBootDevice(device, { persistent, uefi }) {
      if (device !== 'pxe' && device !== 'disk' && device !== 'cdrom' && device !== 'bios' && device !== 'safe')
        return Promise.reject(new HardwareError(`IPMI has no boot device ${device}`))
      return use((session, { ipmi_disable_boot_timeout: keep }) =>
        setBootDevice(session, { device, persistent, uefi, keep }),
      )
    },
  }
}

function open(socket: IpmiSocket, of: Info): Promise<IpmiSession> {
  return connect({
    socket,
    host: of.ipmi_address,
    port: of.ipmi_port,
    username: of.ipmi_username,
    password: of.ipmi_password,
    kg: of.ipmi_hex_kg_key === undefined ? undefined : Buffer.from(of.ipmi_hex_kg_key, 'hex'),
    privilege: of.ipmi_priv_level,
    protocolVersion: of.ipmi_protocol_version,
    cipherSuite: of.ipmi_cipher_suite ?? 'auto',
    timeoutMs: TIMEOUT_MS,
  })
}
