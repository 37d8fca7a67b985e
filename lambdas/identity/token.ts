import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { DOMAIN, identityId } from '../../contract/identity.ts'

/** Tokens say who, as what and until when, signed; nothing of them is stored. What they allow is looked up when they are used.
 *
 *    v1.<base64url of JSON claims>.<base64url HMAC-SHA256 of all before>
 */
const scope = z.union([
  z.tuple([z.literal('project'), identityId]),
  z.tuple([z.literal('domain'), z.literal(DOMAIN)]),
  z.tuple([z.literal('system')]),
])

export const claims = z.strictObject({
  /** Audit ids: its own, and that of the first of the tokens it was got by. */
  ids: z.array(z.string().max(64)).min(1).max(2),
  user: identityId,
  methods: z
    .array(z.enum(['password', 'token', 'application_credential']))
    .min(1)
    .max(3),
  scope: scope.nullable(),
  /** The application credential it was got by. */
  credential: identityId.nullable(),
  /** Milliseconds of the epoch. */
  issued: z.int().positive(),
  expires: z.int().positive(),
})
export type Claims = z.infer<typeof claims>

const SIZE_LIMIT = 2048

export function signToken(given: Claims, key: string): string {
  const body = `v1.${Buffer.from(JSON.stringify(given)).toString('base64url')}`
  return `${body}.${signature(body, key)}`
}

/** What a token claims, if it is ours and not over. */
export function readToken(token: string, key: string, now: Date): Claims | undefined {
  if (token.length > SIZE_LIMIT) return undefined
  const [, body, text, sign] = /^(v1\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]{43})$/.exec(token) ?? []
  if (body === undefined || text === undefined || sign === undefined) return undefined
  if (!timingSafeEqual(Buffer.from(signature(body, key)), Buffer.from(sign))) return undefined
  const found = claims.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  return found.success && found.data.expires > now.getTime() ? found.data : undefined
}

function signature(body: string, key: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(body).digest('base64url')
}
