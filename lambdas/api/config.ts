import { z } from 'zod'
import { identityConfig } from '../identity/config.ts'

const atMost = z.int().positive().optional()
/** How many operations may run at once; undefined: as many as are asked for. */
const limits = z.object({ deploys: atMost, deploysPerSite: atMost, cleans: atMost, cleansPerSite: atMost })
export type Limits = z.infer<typeof limits>

export const apiConfig = z.object({
  limits: limits.optional(),
  /** Scheme and host in links; null: as the request has them. */
  publicEndpoint: z.url({ protocol: /^https?$/ }).nullable(),
  /** Replies can be sent in pieces while they are made. */
  streaming: z.boolean().optional(),
  auth: z.discriminatedUnion('strategy', [
    z.object({ strategy: z.literal('noauth') }),
    /** Lines of `user:bcrypt`, as `htpasswd -B` writes them. */
    z.object({ strategy: z.literal('http_basic'), htpasswd: z.string() }),
    /** Our own identity service, at /identity. */
    identityConfig.extend({ strategy: z.literal('keystone') }),
  ]),
})
export type ApiConfig = z.infer<typeof apiConfig>
