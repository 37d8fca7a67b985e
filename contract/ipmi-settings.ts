import { z } from 'zod'

/** IPMI 2.0 table 22-20 without those of RC4. */
const ipmiCipherSuites = [0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17]

/** Channels have 4 bits, addresses on the IPMB 8 (IPMI 2.0 §6.3, §5.1). */
export const ipmiChannel = ipmiNumber(0x0f)
export const ipmiBusAddress = ipmiNumber(0xff)

function ipmiNumber(most: number) {
  const said = `a number up to ${most}, such as 0x${most.toString(16)}`
  const text = z.string().regex(/^(0x[0-9a-f]{1,2}|\d{1,3})$/i, said)
  return z.union([z.int(), text], said).transform(Number).pipe(z.int().min(0, said).max(most, said))
}

/** What each way of bridging has to be told. */
const bridges = {
  no: [],
  single: ['ipmi_target_channel', 'ipmi_target_address'],
  dual: ['ipmi_target_channel', 'ipmi_target_address', 'ipmi_transit_channel', 'ipmi_transit_address'],
} as const

export function missingForBridge(info: Record<string, unknown>): string | undefined {
  const bridging = bridges[(info['ipmi_bridging'] ?? 'no') as keyof typeof bridges] ?? []
  return bridging.find((key) => info[key] === undefined || info[key] === null)
}

/** What the API checks of driver_info of hardware type `ipmi`; sealed values are the site's to check. */
export const ipmiSettings = z
  .object({
    ipmi_bridging: z.enum(['no', 'single', 'dual'], 'no, single or dual').nullish(),
    ipmi_target_channel: ipmiChannel.nullish(),
    ipmi_target_address: ipmiBusAddress.nullish(),
    ipmi_transit_channel: ipmiChannel.nullish(),
    ipmi_transit_address: ipmiBusAddress.nullish(),
    ipmi_local_address: ipmiBusAddress.nullish(),
    ipmi_port: z.coerce.number('a port is 1 to 65535').int().min(1).max(65_535, 'a port is 1 to 65535').nullish(),
    ipmi_priv_level: z.enum(['ADMINISTRATOR', 'OPERATOR', 'USER', 'CALLBACK']).nullish(),
    ipmi_disable_boot_timeout: z.union([z.boolean(), z.stringbool()], 'true or false').nullish(),
    ipmi_force_boot_device: z.union([z.boolean(), z.stringbool()], 'true or false').nullish(),
    ipmi_protocol_version: z.enum(['1.5', '2.0'], 'the versions are 1.5 and 2.0').nullish(),
    ipmi_cipher_suite: z
      .literal([...ipmiCipherSuites, ...ipmiCipherSuites.map(String)], `the suites are ${ipmiCipherSuites.join(', ')}`)
      .nullish(),
  })
  .superRefine((info, refusal) => {
    const missing = missingForBridge(info)
    if (missing)
      refusal.addIssue({ code: 'custom', path: [missing], message: `is needed for bridging ${info.ipmi_bridging}` })
  })
