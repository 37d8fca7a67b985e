import { z } from 'zod'

export const identityConfig = z.object({
  /** What tokens are signed with: at least 32 bytes, base64url. Who has it can be anybody. */
  signingKey: z.string().regex(/^[A-Za-z0-9_-]{43,}$/, 'at least 32 bytes, base64url'),
  tokenSeconds: z.int().min(60).max(86_400),
})
export type IdentityConfig = z.infer<typeof identityConfig>
