import { z } from 'zod'
import { sealed } from './seal.ts'

/** A disk that a machine boots from over the network, or finds beside its own, by iSCSI. All of it stands in a boot script, where nothing else may be in it. */

/** Beside the one that it boots from. */
export const MOST_DATA_VOLUMES = 15

/** RFC 3720 §3.2.6.3. */
export const iscsiName = z
  .string()
  .max(223)
  .regex(/^(iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:[a-zA-Z0-9.:_-]+)?|eui\.[0-9A-Fa-f]{16})$/, 'is no iSCSI name')

export const iscsiPortal = z
  .string()
  .max(80)
  .regex(/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'is no address:port')

/** What iPXE takes for a word, and nothing that it would run. */
export const chapWord = z
  .string()
  .regex(/^[A-Za-z0-9._@:+/=-]{1,128}$/, 'has characters that a boot script can not carry')

export const bootVolume = z.strictObject({
  initiator: iscsiName,
  portal: iscsiPortal,
  iqn: iscsiName,
  lun: z.int().min(0).max(16_383),
  /** CHAP (RFC 1994); the secret is sealed to the site, bound to `bind`. */
  chap: z.strictObject({ user: chapWord, secret: sealed, bind: z.string().max(128) }).nullable(),
})
export type BootVolume = z.infer<typeof bootVolume>
