import { z } from 'zod'

/** A switch of the site, as ports' local_link_connection names it: `switch_info` is its name, `switch_id` its MAC. */
export const switchConfig = z.strictObject({
  name: z.string().min(1).max(255),
  id: z
    .string()
    .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'is no MAC address')
    .optional(),
  driver: z.literal('open-vswitch').default('open-vswitch'),
  address: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(22),
  username: z.string().min(1).max(64),
  /** A file with the private key to log in with; it stays at the site. */
  key: z.string().startsWith('/'),
  /** Of the switch's own key, as `ssh-keygen -l` prints it. */
  fingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'is not like SHA256:…'),
})
export type SwitchConfig = z.output<typeof switchConfig>

/** How it is logged in to, wherever that was said. */
export interface SwitchDoor extends Pick<SwitchConfig, 'name' | 'address' | 'port' | 'username' | 'fingerprint'> {
  /** Read when it is needed; throws what is wrong with it. */
  privateKey(): Buffer
  /** Where people find key and fingerprint. */
  keyName: string
  whereItIsSaid: string
}
