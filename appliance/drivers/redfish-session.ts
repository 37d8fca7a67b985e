import { connect, type Redfish } from '@bloomery/redfish/client.ts'
import { findSystem, type System } from '@bloomery/redfish/system.ts'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { HardwareError } from '../hardware-error.ts'

const TIMEOUT_MS = 60_000

const flag = z.union([z.boolean(), z.stringbool()])

/** driver_info of hardware type `redfish` (reference §4.2); the API has checked it once, but this is where it counts. */
export const redfishInfo = z.object({
  redfish_address: z.string().min(1).max(2048),
  redfish_system_id: z.string().min(1).max(1024).optional(),
  redfish_username: z.string().default(''),
  redfish_password: z.string().default(''),
  // A path: of a file on this appliance with the authorities to trust.
  redfish_verify_ca: z.union([flag, z.string().min(1).max(4096)]).default(true),
  redfish_certificate_fingerprint: z
    .string()
    .regex(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, 'a fingerprint is a SHA-256 in hexadecimal')
    .optional(),
  redfish_auth_type: z.enum(['basic', 'session', 'auto']).default('auto'),
  redfish_tls_minimum_version: z
    .union([z.enum(['1.1', '1.2', '1.3']), z.literal([1.1, 1.2, 1.3]).transform((version) => `${version}` as const)])
    .default('1.2'),
  redfish_tls_ciphers: z.string().min(1).max(1024).optional(),
})
export type RedfishInfo = z.infer<typeof redfishInfo>

export interface RedfishSession {
  bmc: Redfish
  system: System
}

export async function openSession(of: RedfishInfo): Promise<RedfishSession> {
  const pin = of.redfish_certificate_fingerprint
  const bmc = await connect({
    address: of.redfish_address,
    username: of.redfish_username,
    password: of.redfish_password,
    auth: of.redfish_auth_type,
    tls: {
      verify: await authorities(of.redfish_verify_ca),
      ...(pin === undefined ? {} : { pin }),
      minimumVersion: `TLSv${of.redfish_tls_minimum_version}`,
      ...(of.redfish_tls_ciphers === undefined ? {} : { ciphers: of.redfish_tls_ciphers }),
    },
    timeoutMs: TIMEOUT_MS,
  })
  try {
    return { bmc, system: await findSystem(bmc, of.redfish_system_id) }
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
