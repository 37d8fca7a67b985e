import { z } from 'zod'
import { digest } from './images/manifest.ts'
import { type RemoteImage } from './images/remote.ts'

/** Bytes that a plan needs and doesn't carry: where they are, and what proves that they are right. */

/** Bytes that the plan needs and that don't fit into it. `blob` keys are turned into signed URLs when the command is published. */
export const byteSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('blob'), key: z.string().max(1024) }),
  z.object({ kind: z.literal('url'), url: z.url({ protocol: /^https?$/ }) }),
])
export type ByteSource = z.infer<typeof byteSource>

export const imageReference = z.object({
  /** Shown in errors and logs: the image's name, uuid or URL. */
  name: z.string().max(2048),
  source: byteSource,
  size: z.int().positive().nullable(),
  disk_format: z.enum(['raw', 'qcow2']),
  os_hash_algo: z.enum(['sha256', 'sha512']),
  os_hash_value: z.string().regex(/^[0-9a-f]{64}([0-9a-f]{64})?$/),
  /** Of an image in chunks, `source` is the signed manifest, which has this size and digest; what is above is said of the disk. */
  manifest: z.object({ size: z.int().positive(), sha256: digest }).optional(),
})
export type ImageReference = z.infer<typeof imageReference>
/** What a deploy is to write. */
export type WantedImage = ImageReference | RemoteImage

export const blobReference = z.object({
  source: byteSource,
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type BlobReference = z.infer<typeof blobReference>

/** A config drive of at most this many characters travels in the plan itself, so that a site that is cut off has it. */
export const INLINE_LIMIT = 16 * 1024
const inline = z.object({ kind: z.literal('inline'), text: z.string().max(INLINE_LIMIT) })

/** The config drive as Ironic passes it on: base64 of a gzipped ISO 9660 image, in one file. Of a person's URL the size and digest
 * are unknown. */
export const configDriveReference = z.object({
  source: z.discriminatedUnion('kind', [...byteSource.options, inline]),
  size: z.int().nonnegative().nullable(),
  sha256: blobReference.shape.sha256.nullable(),
})
export type ConfigDriveReference = z.infer<typeof configDriveReference>

/** A file of an instance that is booted and never written to a disk. Without a digest it is taken as its URL gives it. */
export const instanceFile = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2048),
  digest: z
    .strictObject({
      algorithm: z.enum(['sha256', 'sha512']),
      value: z.string().regex(/^[0-9a-f]{64}([0-9a-f]{64})?$/),
    })
    .nullable(),
})
export type InstanceFile = z.infer<typeof instanceFile>

/** What a machine boots at every start, in Ironic's names. */
export const instanceRamdisk = z.strictObject({
  files: z.union([
    z.strictObject({ kernel: instanceFile, ramdisk: instanceFile }),
    z.strictObject({ boot_iso: instanceFile }),
  ]),
  cmdline: z.string().max(2048),
})
export type InstanceRamdisk = z.infer<typeof instanceRamdisk>

/** An installation by Anaconda. */
export const installerArguments = z.strictObject({
  files: z.strictObject({
    kernel: instanceFile,
    ramdisk: instanceFile,
    /** Absent: it is in the tree. */
    stage2: instanceFile.optional(),
  }),
  /** Null: the site's own kickstart. */
  template: instanceFile.nullable(),
  /** An installation tree, and a live image. */
  repo_url: instanceFile.shape.url.optional(),
  liveimg_url: instanceFile.shape.url.optional(),
  cmdline: z.string().max(2048),
  config_drive: configDriveReference.optional(),
})
export type InstallerArguments = z.infer<typeof installerArguments>

/** How a container that boots is installed. */
export const bootcInstall = z.strictObject({
  /** Of root, as in ~/.ssh/authorized_keys. */
  authorized_keys: z.string().max(65_536).optional(),
  tpm2_luks: z.boolean().optional(),
  kernel_arguments: z.string().max(2048),
})
