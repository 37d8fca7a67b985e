import { z } from 'zod'

/** A container image at a site, for the agent to have whole: OCI Image Format Specification, §§ manifest, descriptor. */

export const containerBlob = z.strictObject({
  digest: z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/),
  size: z.int().nonnegative(),
  media_type: z.string().max(255),
  url: z.url({ protocol: /^https?$/ }).max(8192),
})
export type ContainerBlob = z.infer<typeof containerBlob>

export const MOST_LAYERS = 512

/** Ours alone, in driver_internal_info under this key: an agent that doesn't know it asks the registry by itself. */
export const CONTAINER = 'bloomery_container'
export const container = z.strictObject({
  /** HOST/NAME:TAG or HOST/NAME@DIGEST, from where the installed system will update itself. */
  reference: z.string().regex(/^[A-Za-z0-9][\w./:@-]{0,1023}$/),
  manifest: containerBlob,
  config: containerBlob,
  /** The lowest first. */
  layers: z.array(containerBlob).min(1).max(MOST_LAYERS),
})
export type Container = z.infer<typeof container>
