import { z } from 'zod'
import { boolean } from './stored.ts'

/** What people tell a BMC about itself: its connection, its users, its watchdog; and the machine's firmware its boot order. */

const privileges = ['administrator', 'operator', 'user', 'none'] as const
/** Undefined of what a BMC doesn't tell. */
export interface BmcAccount {
  name: string
  enabled: boolean | undefined
  privilege: (typeof privileges)[number] | undefined
}

const name = z
  .string({ error: () => "Parameter 'name' (string) was not specified." })
  .regex(/^[\x21-\x7e]{1,64}$/, 'name is not 1 to 64 printable characters without blanks')

/** A password is never quoted. A user who isn't there yet is made, and needs one. */
export const accountWish = z
  .strictObject({
    name,
    password: z.string('password is not a text').min(1, 'password is empty').max(128, 'password is too long').nullish(),
    privilege: z.enum(privileges, `privilege is one of ${privileges.join(', ')}`).nullish(),
    enabled: boolean.nullish(),
  })
  .refine(
    ({ name: _name, ...rest }) => Object.values(rest).some((each) => each !== undefined && each !== null),
    "name at least one of 'password', 'privilege', 'enabled'",
  )
export type AccountWish = z.infer<typeof accountWish>

const sources = ['static', 'dhcp'] as const
const address = z.ipv4('an address is IPv4, such as 10.30.0.5')
/** `vlan` null: untagged. What is left out stays. */
export const lanWish = z
  .strictObject({
    source: z.enum(sources, `source is one of ${sources.join(', ')}`).optional(),
    address: address.optional(),
    mask: address.optional(),
    gateway: address.optional(),
    vlan: z.int('a VLAN is a number').min(1).max(4094).nullable().optional(),
  })
  .refine((wish) => Object.keys(wish).length > 0, 'name at least one of source, address, mask, gateway, vlan')
export type LanWish = z.infer<typeof lanWish>
export type LanSettings = Record<'source' | 'address' | 'mask' | 'gateway' | 'mac', string | null> & {
  vlan: number | null
}

export const watchdogActions = ['none', 'reset', 'off', 'cycle'] as const
/** `timeout` in seconds; a watchdog that doesn't run waits to be started by the machine's own software. */
export const watchdogWish = z.strictObject({
  running: boolean,
  timeout: z.number('timeout is 0.1 to 6553.5 seconds').min(0.1).max(6553.5).optional(),
  action: z.enum(watchdogActions, `action is one of ${watchdogActions.join(', ')}`).optional(),
})
export type WatchdogWish = z.infer<typeof watchdogWish>
export interface WatchdogState {
  running: boolean
  action: (typeof watchdogActions)[number] | null
  /** Seconds: as it was set, and what is left. */
  timeout: number
  remaining: number | null
}

/** References of the firmware's boot options (`Boot0003`), first to last. */
export const bootOrder = z
  .array(z.string().regex(/^[\w.:-]{1,64}$/, 'is no reference of a boot option, such as Boot0003'))
  .min(1)
  .max(256)
  .refine((order) => new Set(order).size === order.length, 'names a boot option twice')
export interface BootOptions {
  order: string[]
  options: { reference: string; name: string | null; enabled: boolean | null; device_path: string | null }[]
}
