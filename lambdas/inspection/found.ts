import { z } from 'zod'
import { macAddress } from '../../contract/resources.ts'
import { lldpTlvs } from './lldp.ts'

const text = z.string().max(255).nullish().catch(null)

const card = z.object({
  mac_address: z.string().toLowerCase().pipe(macAddress),
  name: text,
  has_carrier: z.boolean().nullish().catch(null),
  ipv4_address: text,
  ipv6_address: text,
  lldp: lldpTlvs.nullish().catch(null),
})
export type Card = z.infer<typeof card>

const disk = z.object({ size: z.number().positive(), name: text, serial: text })
const noDisk = { size: 0, name: null, serial: null }

const schema = z.object({
  cpu: z
    .object({
      count: z.int().positive(),
      architecture: z.string().max(32),
      flags: z.array(z.string().max(64)).max(1024),
    })
    .partial()
    .catch({}),
  memory: z.object({ physical_mb: z.int().positive() }).partial().catch({}),
  boot: z
    .object({ current_boot_mode: z.enum(['uefi', 'bios']), pxe_interface: z.string().nullable() })
    .partial()
    .catch({}),
  disks: z.array(disk.catch(noDisk)).catch([]),
  interfaces: z
    .array(card.nullable().catch(null))
    .catch([])
    .transform((cards) => cards.filter((each) => each !== null)),
  bmc_address: text,
  bmc_v6address: text,
})
export type Found = z.infer<typeof schema>

/** What is read of an inventory; what is not there, or is not as ironic-python-agent says it, is passed over. */
export function readInventory(inventory: Record<string, unknown>): Found {
  return schema.parse({ cpu: {}, memory: {}, boot: {}, disks: [], interfaces: [], ...inventory })
}

/** The card that the firmware booted from: pxelinux puts the hardware type before its address. */
export function bootedCard({ boot }: Found): string | undefined {
  return boot.pxe_interface?.toLowerCase().replace(/^01-/, '').replaceAll('-', ':') || undefined
}
