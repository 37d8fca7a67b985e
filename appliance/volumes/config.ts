import { z } from 'zod'

/** Volumes of this appliance's disk, for machines of its site. */
export const volumeConfig = z.strictObject({
  /** How much may be promised; disks are thin, so that this may be more than there is. */
  gib: z.int().min(1).max(1_048_576),
  /** Default: `data_dir`/volumes. A file system that shares blocks (XFS, Btrfs) makes snapshots at once. */
  dir: z.string().startsWith('/').optional(),
  /** Where machines reach the iSCSI target; default: `boot.nextServer`. */
  address: z.union([z.ipv4(), z.ipv6()]).optional(),
  port: z.int().min(1).max(65_535).default(3260),
  /** Before the colon of targets' names (RFC 3720 §3.2.6.3.1); the default is Cinder's. */
  iqn: z
    .string()
    .regex(/^iqn\.\d{4}-\d{2}\.[a-z0-9.-]{1,128}$/, 'is no name of an iSCSI authority, such as iqn.2026-11.org.example')
    .default('iqn.2010-10.org.openstack'),
})
export type VolumeConfig = z.output<typeof volumeConfig>
