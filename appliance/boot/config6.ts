import { z } from 'zod'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'

const ipv6 = z.ipv6('is not an IPv6 address')
const port = z.number().int().min(0).max(65_535)

/** Boot over IPv6: DHCPv6, TFTP and HTTP at one address of ours. */
export const bootConfig6 = z.strictObject({
  /** Ours, where machines find TFTP and HTTP. */
  address: ipv6,
  links: z
    .array(
      z.strictObject({
        /** Its clients' addresses are ours to give: a hash of who they are needs 64 bits. */
        prefix: z
          .string()
          .regex(/\/64$/, 'is not a /64, like fd00:80::/64')
          .transform((text, context) => {
            const parsed = ipv6.safeParse(text.slice(0, -'/64'.length))
            const bytes = parsed.success ? ipv6ToBytes(parsed.data) : new Uint8Array(16).fill(1)
            if (bytes.subarray(8).some((byte) => byte !== 0))
              context.addIssue({ code: 'custom', message: `${text} is no IPv6 network of 64 bits` })
            return bytes
          }),
        /** That this link is attached to; absent where its clients come by way of a relay. */
        interface: z
          .string()
          .regex(/^[\w.-]{1,15}$/, 'is no name of an interface')
          .optional(),
        dns: z.array(ipv6.transform(ipv6ToBytes)).max(3).default([]),
        leaseSeconds: z.number().int().min(300).max(604_800).default(3_600),
      }),
    )
    .min(1),
  /** Run radvd on the attached links. Turn it off where a router already tells machines to ask DHCPv6. */
  routerAdvertisements: z.boolean().default(true),
  ports: z.strictObject({ dhcp: port, client: port }).partial().default({}),
})

export type BootConfig6 = z.output<typeof bootConfig6>
