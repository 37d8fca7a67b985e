import { cipherSuiteIds } from '@bloomery/ipmi/cipher-suite.ts'
import { z } from 'zod'
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
})
export type IpmiInfo = z.infer<typeof info>

export function ipmiInfo(driverInfo: DriverInfo): IpmiInfo {
  const parsed = info.safeParse(driverInfo)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new HardwareError(`driver_info/${issue?.path.join('/')} can't be used: ${issue?.message}`)
}
