import { z } from 'zod'

/** What webhooks may reach, and what their secrets are kept under. */
export const webhookConfig = z.object({
  /** Secrets are sealed with a key that is derived from this. */
  key: z.string().min(32),
  /** Beside the public Internet: networks (CIDR) of our own that receivers may be in. */
  networks: z.array(z.union([z.cidrv4(), z.cidrv6()])),
  /** Plain http too. */
  http: z.boolean(),
})
export type WebhookConfig = z.infer<typeof webhookConfig>
