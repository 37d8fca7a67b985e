import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { DOMAIN } from '../../contract/identity.ts'
import { authenticate, type Authenticated, domainSchema, identitySchema, projectReference } from './authenticate.ts'
import type { Ground } from './context.ts'
import { unauthorized } from './errors.ts'
import { findNamed, getNamed } from './named.ts'
import { type Session, sessionFor } from './session.ts'
import { type Claims, signToken } from './token.ts'

const scope = z.union([
  z.literal('unscoped'),
  z
    .object({
      project: projectReference.optional(),
      system: z.object({ all: z.literal(true) }).optional(),
      domain: domainSchema.optional(),
      unscoped: z.object({}).optional(),
    })
    .refine(
      (given) => Object.values(given).filter((each) => each !== undefined).length === 1,
      'name exactly one scope',
    ),
])
export const authRequest = z.object({ auth: z.object({ identity: identitySchema, scope: scope.optional() }) })
type AuthRequest = z.infer<typeof authRequest>['auth']
type Scope = Claims['scope']

export interface Issued {
  token: string
  session: Session
}

/** A token for who they say they are, in the scope they ask for: their default project when they ask for none, else none at all. */
export async function issue(ground: Ground, asked: AuthRequest): Promise<Issued> {
  // Before the user is read: with a password that is changed while it is looked at nobody gets a token that outlives the change.
  const issued_at = ground.clock.now().getTime()
  const who = await authenticate(ground, asked.identity)
  const wanted = await scopeOf(ground, who, asked.scope)
  const attempt = (scope: Scope) => issuedFor(ground, claimsFor(ground, who, scope, issued_at))
  const issued = await attempt(wanted)
  if (issued) return issued
  const fallback = asked.scope === undefined && who.credential === null ? await attempt(null) : undefined
  if (!fallback) throw unauthorized()
  return fallback
}

async function issuedFor(ground: Ground, claims: Claims): Promise<Issued | undefined> {
  const session = await sessionFor(ground, claims)
  return session && { token: signToken(claims, ground.config.signingKey), session }
}

/** A token got by a token is over when that one is. */
function claimsFor(
  { ids, config }: Ground,
  { user, methods, credential, from }: Authenticated,
  wanted: Scope,
  issued: number,
): Claims {
  const expires = issued + config.tokenSeconds * 1000
  const own = ids.token(16)
  const first = from?.ids.at(-1)
  return {
    ids: first === undefined ? [own] : [own, first],
    user: user.id,
    methods,
    scope: wanted,
    credential: credential?.id ?? null,
    issued,
    expires: Math.min(
      expires,
      from?.expires ?? expires,
      credential?.expires_at ? Date.parse(credential.expires_at) : expires,
    ),
  }
}

async function scopeOf(ground: Ground, who: Authenticated, asked: AuthRequest['scope']): Promise<Scope> {
  const given = await givenScope(ground, asked)
  if (who.credential) {
    const own: Scope = ['project', who.credential.project_id]
    if (given === undefined || JSON.stringify(given) === JSON.stringify(own)) return own
    throw new UserError(401, 'An application credential has the scope of its project and can take no other.')
  }
  if (given !== undefined) return given
  const { default_project_id: project } = who.user
  return project === null ? null : ['project', project]
}

/** Undefined: none was named. */
async function givenScope({ table }: Ground, asked: AuthRequest['scope']): Promise<Scope | undefined> {
  if (asked === undefined) return undefined
  if (asked === 'unscoped' || asked.unscoped) return null
  if (asked.system) return ['system']
  if (asked.domain) return ['domain', DOMAIN]
  const { id, name } = asked.project ?? {}
  const project =
    id === undefined ? name && (await findNamed(table, 'project', name)) : await getNamed(table, 'project', id)
  if (!project) throw unauthorized()
  return ['project', project.id]
}
