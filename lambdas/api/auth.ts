import { createMiddleware } from 'hono/factory'
import { operator } from '../../contract/identity.ts'
import type { Platform } from '../platform.ts'
import { authenticationOf } from './caller.ts'
import type { ApiConfig } from './config.ts'
import type { Facts } from './context.ts'
import { faultReply } from './errors.ts'

/** Known without credentials: version documents, and enrolment, whose token is its own credential. */
const publicPaths = ['/', '/v1', '/v1/enrol', '/v1/openapi.json', '/v1/lookup', '/v1/continue_inspection']
const isPublic = (path: string): boolean => publicPaths.includes(path) || /^\/v1\/heartbeat\/[a-z0-9-]+$/.test(path)

/** Where nobody has to say who they are. */
const anybody = operator(null)

/** Finds out who calls. What they may do is authorization's matter. */
export function authentication(platform: Platform, config: ApiConfig) {
  const how = authenticationOf(platform, config)
  return createMiddleware<Facts>(async (call, next) => {
    if (how && isPublic(call.req.path)) return next()
    const caller = how ? await how.caller((name) => call.req.header(name)) : anybody
    if (how && !caller) {
      call.header('www-authenticate', how.challenge(call.var.showing.base))
      return faultReply(call, 401, how.refusal)
    }
    if (caller) call.set('caller', caller)
    return next()
  })
}
