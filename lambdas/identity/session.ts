import type { ApplicationCredential, Caller, Project, Role, Target, User } from '../../contract/identity.ts'
import type { Key } from '../platform.ts'
import type { Ground } from './context.ts'
import { getCredential } from './credentials.ts'
import { grantsReaching } from './members.ts'
import { getNamed } from './named.ts'
import { effectiveRoles } from './roles.ts'
import { readToken, type Claims } from './token.ts'

/** What a token is good for now: who its bearer is, and what they may act as. */
export interface Session {
  claims: Claims
  user: User
  project: Project | null
  roles: Role[]
  credential: ApplicationCredential | null
}

/** Undefined: the token is not ours, over, revoked, or stands on something that is no more: its user, project, roles or credential. */
export async function sessionOf(ground: Ground, token: string): Promise<Session | undefined> {
  const claims = readToken(token, ground.config.signingKey, ground.clock.now())
  if (!claims) return undefined
  const [revoked, session] = await Promise.all([ground.table.get(revocationKey(claims)), sessionFor(ground, claims)])
  return revoked ? undefined : session
}

/** Of claims that nobody revoked. */
export async function sessionFor({ table, clock }: Ground, claims: Claims): Promise<Session | undefined> {
  const target = targetOf(claims)
  const [user, project, credential, grants] = await Promise.all([
    getNamed(table, 'user', claims.user),
    target?.kind === 'project' ? getNamed(table, 'project', target.id) : null,
    claims.credential === null ? null : getCredential(table, claims.credential),
    target ? grantsReaching(table, claims.user, target) : [],
  ])
  if (!user?.enabled || (user.tokens_since !== null && claims.issued < Date.parse(user.tokens_since))) return undefined
  if (target?.kind === 'project' && !project?.enabled) return undefined
  if (credential === undefined || isOver(credential, clock.now())) return undefined
  const ids = grants.map(({ role }) => role)
  const roles = await effectiveRoles(table, ids)
  const kept = credential ? await effectiveRoles(table, credential.roles) : roles
  const both = roles.filter(({ id }) => kept.some((each) => each.id === id))
  if (target && both.length === 0) return undefined
  return { claims, user, project: project ?? null, roles: both, credential }
}

function isOver(credential: ApplicationCredential | null, now: Date): boolean {
  return credential?.expires_at != null && Date.parse(credential.expires_at) <= now.getTime()
}

export function targetOf({ scope }: Pick<Claims, 'scope'>): Target | undefined {
  if (scope === null) return undefined
  if (scope[0] === 'project') return { kind: 'project', id: scope[1] }
  return { kind: scope[0] }
}

export function callerOf({ user, project, roles, claims }: Session): Caller {
  return {
    user: { id: user.id, name: user.name },
    project: project && { id: project.id, name: project.name },
    system: claims.scope?.[0] === 'system',
    roles: new Set(roles.map(({ name }) => name)),
  }
}

const revocationKey = ({ ids }: Claims): Key => ({ pk: `revoked-token#${ids[0]}`, sk: 'revoked' })

/** Kept until the token would have been over anyway. */
export async function revoke({ table }: Pick<Ground, 'table'>, claims: Claims): Promise<void> {
  const value = { user: claims.user }
  await table.write([
    { put: { ...revocationKey(claims), version: 1, value, expires: Math.ceil(claims.expires / 1000) + 1 } },
  ])
}
