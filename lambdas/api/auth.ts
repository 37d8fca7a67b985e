import { createMiddleware } from 'hono/factory'
import { operator } from '../../contract/identity.ts'
import type { Platform } from '../platform.ts'
import { authenticationOf } from './caller.ts'
import type { ApiConfig } from './config.ts'
import type { Facts } from './context.ts'
import { faultReply } from './errors.ts'

/** Known without credentials: version documents, and enrolment, whose token is its own credential. */
const publicPaths = ['/', '/v1', '/v1/enrol']

/** Finds out who calls. What they may do is authorization's matter. */
export function authentication(platform: Platform, config: ApiConfig) {
  const how = authenticationOf(platform, config)
  return createMiddleware<Facts>(async (call, next) => {
    if (how && publicPaths.includes(call.req.path)) return next()
    const caller = how ? await how.caller((name) => call.req.header(name)) : operator(null)
    if (how && !caller) {
      call.header('www-authenticate', how.challenge(call.var.showing.base))
      return faultReply(call, 401, how.refusal)
    }
    if (caller) call.set('caller', caller)
    return next()
  })
}
