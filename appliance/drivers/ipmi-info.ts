import type { Bridge } from '@bloomery/ipmi/bridge.ts'
import { cipherSuiteIds } from '@bloomery/ipmi/cipher-suite.ts'
import { z } from 'zod'
import { ipmiBusAddress, ipmiChannel, missingForBridge } from '../../contract/ipmi-settings.ts'
import { HardwareError } from '../hardware-error.ts'
import type { DriverInfo } from './bmc.ts'

const number = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)])
const flag = z.union([z.boolean(), z.stringbool()])

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
  ipmi_disable_boot_timeout: flag.default(true),
  ipmi_force_boot_device: flag.default(false),
  ipmi_protocol_version: z.enum(['1.5', '2.0']).default('2.0'),
  ipmi_cipher_suite: number.pipe(z.literal(cipherSuiteIds)).optional(),
  ipmi_bridging: z.enum(['no', 'single', 'dual']).default('no'),
  ipmi_target_channel: ipmiChannel.optional(),
  ipmi_target_address: ipmiBusAddress.optional(),
  ipmi_transit_channel: ipmiChannel.optional(),
  ipmi_transit_address: ipmiBusAddress.optional(),
  ipmi_local_address: ipmiBusAddress.optional(),
})
export type IpmiInfo = z.infer<typeof info>

export function ipmiInfo(driverInfo: DriverInfo): IpmiInfo {
  const parsed = info.safeParse(driverInfo)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
  }
  const missing = missingForBridge(parsed.data)
  if (missing) throw new HardwareError(`driver_info/${missing} is needed for bridging ${parsed.data.ipmi_bridging}`)
  return parsed.data
}

/** Undefined: commands are for the BMC itself. */
export function bridgeOf(info: IpmiInfo): Bridge | undefined {
  const { ipmi_target_channel: channel, ipmi_target_address: address } = info
  if (info.ipmi_bridging === 'no' || channel === undefined || address === undefined) return undefined
  const target = { channel, address }
  const { ipmi_transit_channel: behind, ipmi_transit_address: transit, ipmi_local_address: local } = info
  if (info.ipmi_bridging === 'single' || behind === undefined || transit === undefined) return { target, local }
  return { target, transit: { channel: behind, address: transit }, local }
}
