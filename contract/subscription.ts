import { z } from 'zod'

/** A BMC's event subscription as Ironic's vendor method takes it (reference §4.5), refused in its words. */

const text = (input: unknown): string =>
  (typeof input === 'string' ? input : (JSON.stringify(input) ?? 'None')).slice(0, 255)

/** Never quoted: they may hold a token. */
const headers = z
  .array(
    z.record(z.string().max(256), z.string().max(2048), 'HttpHeaders is a list of objects of texts'),
    'HttpHeaders is not a list of headers',
  )
  .max(16)

export const subscription = z.object({
  Destination: z
    .string({ error: ({ input }) => `Destination ${text(input)} is not a valid URI` })
    .max(2048)
    .refine((given) => (URL.parse(given)?.host ?? '') !== '', {
      error: ({ input }) => `Destination ${text(input)} is not a valid URI`,
    }),
  Protocol: z
    .string({ error: ({ input }) => `Protocol ${text(input)} is not a string` })
    .max(256)
    .default('Redfish'),
  Context: z
    .string({ error: ({ input }) => `Context ${text(input)} is not a valid string` })
    .max(2048)
    .default(''),
  EventTypes: z
    .array(z.string().max(256), { error: ({ input }) => `EventTypes ${text(input)} is not a valid value` })
    .max(32)
    .nullish(),
  HttpHeaders: headers.nullish(),
})
export type Subscription = z.infer<typeof subscription>

/** The last part of its path on the BMC. */
export const subscriptionId = z.object({
  id: z
    .union([z.string(), z.int()], "id can't be None")
    .transform(String)
    .refine((id) => /^[^/?#\s]{1,255}$/.test(id) && !/^\.+$/.test(id), "id can't be None, nor a path"),
})

/** What is told of one, of all that a BMC says. */
export function shownSubscription(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = ['Id', 'Context', 'Protocol', 'Destination', 'EventTypes']
  return Object.fromEntries(Object.entries(body).filter(([key]) => shown.includes(key)))
}
