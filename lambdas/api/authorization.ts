import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { UserError } from '../../contract/api/faults.ts'
import { allowed, type Belonging, type Rule } from '../../contract/policy.ts'
import type { Platform } from '../platform.ts'
import type { Call, Facts } from './context.ts'
import { permissions } from './permissions.ts'
import { subjectOf } from './subject.ts'

/** Refuses what the caller may not do, before the route's handler runs. A node that they may not see is as if there were none: 404;
 * one that they see but may not touch: 403. */
export function authorization(platform: Platform) {
  return createMiddleware<Facts>(async (call, next) => {
    const route = matchedRoutes(call).find(({ method }) => method !== 'ALL')
    if (!route) return next()
    const rules = permissions[`${route.method} ${route.path}`]
    if (!rules) throw new Error(`${route.method} ${route.path} has no line in permissions.ts`)
    const { caller } = call.var
    if (rules.length > 0 && !rules.some((rule) => allowed(rule, caller))) {
      const subject = await subjectOf(call, platform, route.path)
      if (subject && !isVisible(call, subject.of)) throw subject.missing
      if (!subject || !rules.some((rule) => allowed(rule, caller, subject.of))) throw denied(rules)
    }
    return next()
  })
}

/** In a handler, for what only it knows. */
export function requireAllowed(call: Call, rule: Rule, of?: Belonging): void {
  if (!allowed(rule, call.var.caller, of)) throw denied([rule])
}

export function isVisible(call: Call, node: Belonging): boolean {
  return allowed('baremetal:node:get', call.var.caller, node)
}

function denied([rule]: readonly Rule[]): UserError {
  return new UserError(403, `Access was denied to the following resource: ${rule}`)
}
