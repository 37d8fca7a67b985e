import { z } from 'zod'
import { sealed } from './seal.ts'

/** Switches of a site, and what is plugged into them. */

/** A port of a switch of the site, and the VLAN whose frames a machine there is to have untagged. */
export const connection = z.strictObject({
  /** By its name or MAC, as local_link_connection has it. */
  switch: z.string().min(1).max(255),
  port: z.string().min(1).max(255),
  vlan: z.int().min(1).max(4094),
})
export type Connection = z.infer<typeof connection>
/** One that carries other VLANs too, with their tags. */
export const trunkConnection = connection.extend({ tagged: z.array(connection.shape.vlan).max(32) })
export type TrunkConnection = z.infer<typeof trunkConnection>

/** A switch that the site is told of by the cloud: `id` is its MAC, `fingerprint` that of its own key, as `ssh-keygen -l` prints it. */
export const switchDoor = z.strictObject({
  name: z.string().regex(/^[\w][\w.-]{0,63}$/, 'letters, digits, and - _ . only'),
  id: z
    .string()
    .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'is no MAC address')
    .nullable()
    .default(null),
  driver: z.literal('open-vswitch').default('open-vswitch'),
  address: z.string().regex(/^[\w.:-]{1,253}$/, 'is no name or address of a host'),
  port: z.int().min(1).max(65_535).default(22),
  username: z.string().regex(/^[\w.@-]{1,64}$/, 'is no user'),
  fingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'is not like SHA256:…'),
})
/** `private_key` opens only there. */
export const siteSwitch = switchDoor.extend({ private_key: sealed })
export type SiteSwitch = z.infer<typeof siteSwitch>
/** What a sealed key of a switch is bound to. */
export const switchKeyOf = (site: string, name: string): string => `switch/${site}/${name}/private_key`
