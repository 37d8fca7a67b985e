import { readJson } from '../api/body.ts'
import type { Call, Ground, Identity } from './context.ts'
import { forbidden, notFound, unauthorized } from './errors.ts'
import { authRequest, issue } from './issue.ts'
import { isOverall, requireSession } from './rights.ts'
import { revoke, type Session, sessionOf } from './session.ts'
import { tokenView } from './views.ts'

/** POST, GET, HEAD and DELETE /v3/auth/tokens: the token itself is in X-Subject-Token. */
export function tokenRoutes(app: Identity, ground: Ground): void {
  const path = '/identity/v3/auth/tokens'
  app.post(path, async (call) => {
    const { auth } = authRequest.parse(await readJson(call))
    const { token, session } = await issue(ground, auth)
    const { claims, user } = session
    ground.log.info(
      { user: user.id, name: user.name, methods: claims.methods, scope: claims.scope, token: claims.ids[0] },
      'token issued',
    )
    return shown(call, token, session, 201)
  })
  app.get(path, async (call) => {
    const { token, session } = await subject(call, ground)
    return shown(call, token, session, 200)
  })
  app.delete(path, async (call) => {
    const { session } = await subject(call, ground)
    await revoke(ground, session.claims)
    ground.log.info(
      { user: session.user.id, token: session.claims.ids[0], by: call.var.session?.user.id },
      'token revoked',
    )
    return call.body(null, 204)
  })
}

/** A token that is no good is as if it never was. Of others' tokens, only overseers and services learn anything. */
async function subject(call: Call, ground: Ground): Promise<{ token: string; session: Session }> {
  const caller = requireSession(call)
  const token = call.req.header('x-subject-token')
  if (token === undefined) throw unauthorized()
  const session = await sessionOf(ground, token)
  const oversees =
    isOverall(caller, call.req.method === 'DELETE' ? 'admin' : 'reader') ||
    (call.req.method !== 'DELETE' && caller.roles.some(({ name }) => name === 'service'))
  if (!session) {
    if (oversees || token === call.req.header('x-auth-token'))
      throw notFound('token', 'it is unknown, expired or revoked')
    throw forbidden('identity:validate_token')
  }
  if (session.user.id !== caller.user.id && !oversees) throw forbidden('identity:validate_token')
  return { token, session }
}

function shown(call: Call, token: string, session: Session, status: 200 | 201): Response {
  call.header('x-subject-token', token)
  call.header('vary', 'X-Auth-Token')
  call.header('cache-control', 'no-store')
  return call.json(tokenView(call.var.base, session, call.req.query('nocatalog') === undefined), status)
}
