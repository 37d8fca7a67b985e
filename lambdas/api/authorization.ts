import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { UserError } from '../../contract/api/faults.ts'
import { allowed, type Belonging, type Rule } from '../../contract/policy.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { getPort } from '../store/ports.ts'
import type { Call, Facts } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { permissions } from './permissions.ts'

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
      if (!subject || !rules.some((rule) => allowed(rule, caller, subject))) throw denied(rules)
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

/** The node that a path is about, if it is about one; visible to the caller, or rejected as missing. */
async function subjectOf(call: Call, platform: Platform, path: string): Promise<Belonging | undefined> {
  const ident = identOf(call, path)
  if (path.startsWith('/v1/ports/:ident')) return ofPort(call, platform, ident ?? '')
  const name = path === '/v1/nodes/validate' ? call.req.query('node') : ident
  if (name === undefined || !path.startsWith('/v1/nodes/')) return undefined
  const node = await nodeOf(platform, name, call.var.minor)
  if (!isVisible(call, node)) throw noNode(name)
  return node
}

/** Parameters are the handler's, and not yet known here. */
function identOf(call: Call, path: string): string | undefined {
  const at = path.split('/').indexOf(':ident')
  const text = at < 0 ? undefined : call.req.path.split('/')[at]
  try {
    return text && decodeURIComponent(text)
  } catch {
    return text
  }
}

async function ofPort(call: Call, { table }: Platform, ident: string): Promise<Belonging> {
  const port = await getPort(table, ident.toLowerCase())
  const node = port && (await getNode(table, port.node_uuid))
  if (!node || !isVisible(call, node)) throw new UserError(404, `Port ${ident} could not be found.`)
  return node
}
