import { z } from 'zod'
import { identityConfig } from '../identity/config.ts'
import { webhookConfig } from '../webhooks/config.ts'

export const apiConfig = z.object({
  /** Scheme and host in links; null: as the request has them. */
  publicEndpoint: z.url({ protocol: /^https?$/ }).nullable(),
  /** Replies can be sent in pieces while they are made. */
  streaming: z.boolean().optional(),
  /** Undefined: no new webhooks are taken, since there is nothing to keep their secrets under. */
  webhooks: webhookConfig.optional(),
  auth: z.discriminatedUnion('strategy', [
    z.object({ strategy: z.literal('noauth') }),
    /** Lines of `user:bcrypt`, as `htpasswd -B` writes them. */
    z.object({ strategy: z.literal('http_basic'), htpasswd: z.string() }),
    /** Our own identity service, at /identity. */
    identityConfig.extend({ strategy: z.literal('keystone') }),
  ]),
})
export type ApiConfig = z.infer<typeof apiConfig>
