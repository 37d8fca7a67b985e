import { z } from 'zod'
import { type ApplicationCredential, DOMAIN, identityId, type User } from '../../contract/identity.ts'
import { countFailure, forgetFailures, isPaused } from './attempts.ts'
import type { Ground } from './context.ts'
import { credentialNamed, getCredential } from './credentials.ts'
import { unauthorized } from './errors.ts'
import { findNamed, getNamed } from './named.ts'
import { matchesSecret } from './secret.ts'
import { sessionOf } from './session.ts'
import type { Claims } from './token.ts'

/** Keystone's authentication methods (Identity API v3, "Authentication and token management"). */

const name = z.string().min(1).max(255)
const secret = z.string().max(4096)
const domain = z
  .object({ id: name.optional(), name: name.optional() })
  .refine(
    (given) => (given.id ?? DOMAIN) === DOMAIN && (given.name ?? 'Default').toLowerCase() === DOMAIN,
    'there is only the domain Default',
  )
const userReference = z.object({ id: identityId.optional(), name: name.optional(), domain: domain.optional() })
export const projectReference = z.object({
  id: identityId.optional(),
  name: name.optional(),
  domain: domain.optional(),
})

export const identitySchema = z.object({
  methods: z
    .array(z.enum(['password', 'token', 'application_credential']))
    .min(1)
    .max(3),
  password: z.object({ user: userReference.extend({ password: secret }) }).optional(),
  token: z.object({ id: z.string().max(2048) }).optional(),
  application_credential: z
    .object({ id: identityId.optional(), name: name.optional(), secret, user: userReference.optional() })
    .optional(),
})
export type IdentityRequest = z.infer<typeof identitySchema>
export const domainSchema = domain

/** Who they turned out to be. `from`: the token that vouched for them. */
export interface Authenticated {
  user: User
  methods: Claims['methods']
  credential: ApplicationCredential | null
  from: Claims | null
}

/** Rejects with 401, whatever was wrong. With several methods, all must name the same user. */
export async function authenticate(ground: Ground, asked: IdentityRequest): Promise<Authenticated> {
  let known: Authenticated | undefined
  for (const method of new Set(asked.methods)) {
    const found = await methods[method](ground, asked)
    if (!found || (known && known.user.id !== found.user.id)) throw unauthorized()
    const all = new Set([...(known?.methods ?? []), ...found.methods])
    known = {
      user: found.user,
      methods: [...all],
      credential: found.credential ?? known?.credential ?? null,
      from: found.from ?? known?.from ?? null,
    }
  }
  if (!known?.user.enabled) throw unauthorized()
  return known
}

type Method = (ground: Ground, asked: IdentityRequest) => Promise<Authenticated | undefined>
const methods: Record<IdentityRequest['methods'][number], Method> = {
  password: async (ground, { password: given }) => {
    if (!given) return undefined
    const user = await userOf(ground, given.user)
    const passes = await tried(ground, user?.id, given.user.password, user?.password_hash ?? null)
    return user && passes ? { user, methods: ['password'], credential: null, from: null } : undefined
  },
  token: async (ground, { token }) => {
    const session = token && (await sessionOf(ground, token.id))
    if (!session) return undefined
    const { claims, user, credential } = session
    return { user, methods: [...new Set([...claims.methods, 'token' as const])], credential, from: claims }
  },
  application_credential: async (ground, { application_credential: given }) => {
    if (!given) return undefined
    const credential = await credentialOf(ground, given)
    const passes = await tried(ground, credential?.id, given.secret, credential?.secret_hash ?? null)
    const user = credential && (await getNamed(ground.table, 'user', credential.user_id))
    return user && credential && passes
      ? { user, methods: ['application_credential'], credential, from: null }
      : undefined
  },
}

export async function userOf(
  { table }: Ground,
  { id, name }: z.infer<typeof userReference>,
): Promise<User | undefined> {
  if (id !== undefined) return getNamed(table, 'user', id)
  return name === undefined ? undefined : findNamed(table, 'user', name)
}

type Given = NonNullable<IdentityRequest['application_credential']>

async function credentialOf(ground: Ground, given: Given): Promise<ApplicationCredential | undefined> {
  if (given.id !== undefined) return getCredential(ground.table, given.id)
  const user = given.user && (await userOf(ground, given.user))
  return user && given.name !== undefined ? credentialNamed(ground.table, user.id, given.name) : undefined
}

/** Whether the secret is right; `login` is what failures are counted under, undefined where there is nobody of that name. */
export async function tried(
  ground: Ground,
  login: string | undefined,
  secret: string,
  stored: string | null,
): Promise<boolean> {
  if (login !== undefined && (await isPaused(ground, login))) {
    ground.log.warn({ login }, 'login refused: too many failures')
    return false
  }
  const matches = await matchesSecret(secret, stored)
  if (login === undefined) return false
  if (matches) await forgetFailures(ground, login)
  else {
    ground.log.warn({ login }, 'login failed')
    await countFailure(ground, login)
  }
  return matches
}
