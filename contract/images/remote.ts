import { z } from 'zod'
import { knownDigest } from './checksum.ts'

/** An image that the cloud doesn't keep and can't look at: its site finds it, and what its checksum is. */

const httpUrl = z.url({ protocol: /^https?$/ }).max(2048)

/** `oci://HOST[:PORT]/NAME[:TAG][@sha256:HEX]`, names and tags as the OCI Distribution Specification §"Pulling manifests" has them. */
export const ociReference = z
  .string()
  .max(1024)
  .regex(
    /^oci:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+(?::\w[\w.-]{0,127})?(?::?@sha256:[0-9a-f]{64})?$/,
    'is not of the form oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:HEX',
  )

export const remoteImage = z.strictObject({
  /** Shown in errors and logs. */
  name: z.string().max(2048),
  place: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('http'), url: httpUrl }),
    /** A file of the appliance's own. */
    z.strictObject({ kind: z.literal('file'), path: z.string().startsWith('/').max(2048) }),
    z.strictObject({ kind: z.literal('oci'), reference: ociReference }),
  ]),
  /** null: as it begins. */
  disk_format: z.enum(['raw', 'qcow2']).nullable(),
  /** A digest, or a file that has one; null where the place has its own, or none is asked for. */
  checksum: z.union([knownDigest, z.strictObject({ url: httpUrl })]).nullable(),
  /** Whether MD5 will do, if that is all that a checksum file has. */
  allow_md5: z.boolean(),
  /** Straight from its place to the machine, past the site's cache. */
  direct: z.boolean().optional(),
})
export type RemoteImage = z.infer<typeof remoteImage>

/** Keys of instance_info and driver_info, there sealed to the site: what a registry, and what a web server is to be shown. */
export const IMAGE_PULL_SECRET = 'image_pull_secret'
export const IMAGE_AUTHORIZATION = 'image_request_authorization_secret'

/** `USER:PASSWORD`, or the base64 of that, as registries' clients keep it (`auth` of a Docker configuration): the value of `Basic`. */
export function basicCredentials(secret: string): string | undefined {
  const text = secret.trim()
  if (text.includes(':')) return Buffer.from(text).toString('base64')
  const isPair = /^[A-Za-z0-9+/_-]+=*$/.test(text) && Buffer.from(text, 'base64').toString('utf8').includes(':')
  return isPair ? Buffer.from(text, 'base64').toString('base64') : undefined
}
