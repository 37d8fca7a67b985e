import type { Call } from './context.ts'
import { forbidden, unauthorized } from './errors.ts'
import type { Session } from './session.ts'

/** Who may do what with identities themselves: administrators of the system or of the domain all, their readers see all, everybody
 * sees and changes what is their own. A project's administrator is none here: they could make themselves the system's. */

export function requireSession(call: Call): Session {
  if (!call.var.session) throw unauthorized()
  return call.var.session
}

export function requireAdmin(call: Call, what: string): Session {
  const session = requireSession(call)
  if (!isOverall(session, 'admin'))
    throw forbidden(`${what} (it needs the role admin on the system: ask for a token with system scope)`)
  return session
}

/** `own`: what is asked for belongs to this user. */
export function requireReader(call: Call, what: string, own?: string): Session {
  const session = requireSession(call)
  if (own !== session.user.id && !isOverall(session, 'reader'))
    throw forbidden(`${what} (it needs the role reader on the system: ask for a token with system scope)`)
  return session
}

export function isOverall({ claims, roles }: Session, role: string): boolean {
  const overall = claims.scope?.[0] === 'system' || claims.scope?.[0] === 'domain'
  return overall && roles.some(({ name }) => name === role)
}
