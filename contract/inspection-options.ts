import { z } from 'zod'

/** What Ironic's `[inspector]` decides of inspections by the ramdisk, with the defaults of that. */

export const hookName = z.enum([
  'ramdisk-error',
  'validate-interfaces',
  'ports',
  'architecture',
  'cpus',
  'memory',
  'root-device',
  'boot-mode',
  'cpu-capabilities',
  'parse-lldp',
  'local-link-connection',
  'physical-network',
  'pci-devices',
  'accelerators',
  'extra-hardware',
  'raid-device',
])
export type HookName = z.infer<typeof hookName>

/** Ironic's default_hooks, and those after them that need nothing to be told. */
const usual: HookName[] = [
  'ramdisk-error',
  'validate-interfaces',
  'ports',
  'architecture',
  'cpus',
  'memory',
  'root-device',
  'boot-mode',
  'parse-lldp',
  'local-link-connection',
]

const pciId = z
  .string()
  .regex(/^(0x)?[0-9a-fA-F]{4}$/, 'an id of PCI has four hexadecimal digits')
  .transform((id) => id.replace(/^0x/, '').toLowerCase())

export const inspectionOptions = {
  /** In this order. */
  inspection_hooks: z.array(hookName).max(32).default(usual),
  /** Which cards get a port: the one that booted (all, where none is known to have), those with an address, all, or none. */
  inspection_add_ports: z.enum(['pxe', 'active', 'all', 'disabled']).default('pxe'),
  /** Which ports stay: all, those whose card is there, or those that would be added. */
  inspection_keep_ports: z.enum(['all', 'present', 'added']).default('all'),
  /** Whether ports that are there are told whether it was their card that booted. */
  inspection_update_pxe_enabled: z.boolean().default(true),
  /** Capability by the flag of the processor that means it. */
  inspection_cpu_capabilities: z.record(z.string().max(64), z.string().max(64)).default({
    vmx: 'cpu_vt',
    svm: 'cpu_vt',
    aes: 'cpu_aes',
    pse: 'cpu_hugepages',
    pdpe1gb: 'cpu_hugepages_1g',
    smx: 'cpu_txt',
  }),
  /** How many of these cards there are becomes a capability of this name. */
  inspection_pci_device_alias: z
    .array(z.strictObject({ vendor_id: pciId, product_id: pciId, name: z.string().min(1).max(64) }))
    .max(256)
    .default([]),
  /** Which cards are accelerators, and of which kind. */
  inspection_known_accelerators: z
    .array(
      z.strictObject({
        vendor_id: pciId,
        device_id: pciId,
        type: z.enum(['GPU', 'FPGA']),
        device_info: z.string().max(255),
      }),
    )
    .max(256)
    .default([]),
  /** The physical network of ports whose card has an address of this network. */
  inspection_physical_network_cidr_map: z
    .record(z.union([z.cidrv4(), z.cidrv6()]), z.string().min(1).max(64))
    .default({}),
  /** One gigabyte less than the disk has is told, for partition tables and rounding. */
  inspection_disk_partitioning_spacing: z.boolean().default(true),
}
export type InspectionOptions = z.infer<z.ZodObject<typeof inspectionOptions>>
