import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { bare } from '../api/bare-path.ts'
import { BodyError } from '../api/errors.ts'
import type { IdentityConfig } from '../identity/config.ts'
import { callerOf, sessionOf } from '../identity/session.ts'
import type { Platform } from '../platform.ts'
import type { Facts, Service } from './context.ts'

export interface Traits {
  /** An error's body, which each service says in its own form. */
  fault(status: number, message: string): unknown
  /** Version documents, which need no token. */
  isPublic(path: string): boolean
  /** Where the path says what the token says too. */
  shorten?(path: string): string
  /** The microversion of a request. Throws UserError where it is not spoken. */
  minor?(header: (name: string) => string | undefined): number
  /** Headers that say which one a reply is in. */
  versionHeaders?(minor: number): Record<string, string>
}

const FORBIDDEN_HEADER = /[^\w.-]/

/** One of OpenStack's services behind Keystone's tokens. Paths have no trailing slash. */
export function createService(
  platform: Platform,
  config: IdentityConfig,
  publicEndpoint: string | null,
  { fault, isPublic, shorten = (path) => path, minor, versionHeaders }: Traits,
): Service {
  const app = new Hono<Facts>({ getPath: (request) => shorten(bare(new URL(request.url).pathname)) })
  const { log } = platform
  const reply = (call: Context<Facts>, status: number, message: string): Response => {
    if (status === 401) call.header('www-authenticate', `Keystone uri="${call.var.base}/identity"`)
    return call.json(fault(status, message) as object, status as ContentfulStatusCode)
  }
  app.use(async (call, next) => {
    const given = call.req.header('x-openstack-request-id')
    const requestId =
      given && given.length <= 64 && !FORBIDDEN_HEADER.test(given) ? given : `req-${platform.ids.uuid()}`
    call.set('requestId', requestId)
    call.header('x-openstack-request-id', requestId)
    call.set('base', publicEndpoint?.replace(/\/+$/, '') ?? new URL(call.req.url).origin)
    call.set('minor', 0)
    if (isPublic(call.req.path)) return next()
    const token = call.req.header('x-auth-token')
    const session = token === undefined ? undefined : await sessionOf({ ...platform, config }, token)
    if (!session) return reply(call, 401, 'The request you have made requires authentication.')
    call.set('caller', callerOf(session))
    if (minor)
      call.set(
        'minor',
        minor((name) => call.req.header(name)),
      )
    for (const [name, value] of Object.entries(versionHeaders?.(call.var.minor) ?? {})) call.header(name, value)
    return next()
  })
  app.onError((error, call) => {
    if (error instanceof UserError || error instanceof BodyError) return reply(call, error.status, error.message)
    if (error instanceof z.ZodError) return reply(call, 400, sentence(error))
    const { requestId } = call.var
    const facts = { request: requestId, method: call.req.method, path: call.req.path }
    log.error({ ...facts, error: String(error), stack: error.stack }, 'request failed')
    return reply(call, 500, `Internal error; the service's log has it under ${requestId}.`)
  })
  app.notFound((call) => reply(call, 404, `${call.req.method} ${call.req.path} is not there.`))
  return app
}

function sentence(error: z.ZodError): string {
  const told = error.issues.slice(0, 5).map(({ path, message }) => `${path.join('/') || 'body'}: ${message}`)
  return `Invalid input: ${told.join('; ')}`
}
