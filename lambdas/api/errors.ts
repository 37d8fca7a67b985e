import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { faultBody, flatFaultBody, PathError, routeFaultBody, UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import type { Api, Call } from './context.ts'

/** A body that can't be a request's at all: answered in the flat form. */
export class BodyError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function faultReply(call: Call, status: number, text: string): Response {
  return call.json(faultBody(status, text), status as ContentfulStatusCode)
}

export function routeFaultReply(call: Call, status: number, text: string): Response {
  return call.json(routeFaultBody(status, text), status as ContentfulStatusCode)
}

export function answerErrors(app: Api, platform: Platform): void {
  app.onError((error, call) => {
    if (error instanceof BodyError)
      return call.json(flatFaultBody(error.status, error.message), error.status as ContentfulStatusCode)
    if (error instanceof PathError) return routeFaultReply(call, error.status, error.message)
    if (error instanceof UserError) return faultReply(call, error.status, error.message)
    if (error instanceof z.ZodError) return faultReply(call, 400, sentence(error))
    const { requestId } = call.var
    platform.log.error(
      { request: requestId, method: call.req.method, path: call.req.path, error: String(error), stack: error.stack },
      'request failed',
    )
    return faultReply(call, 500, `Internal error; the service's log has it under ${requestId}.`)
  })
  app.notFound((call) => {
    const methods = methodsOf(app, call.req.path)
    if (methods.length === 0) return routeFaultReply(call, 404, 'The resource could not be found.')
    call.header('allow', methods.join(', '))
    return routeFaultReply(call, 405, `The method ${call.req.method} is not allowed for this resource.`)
  })
}

/** The methods that routes of this path have. */
function methodsOf(app: Api, path: string): string[] {
  const matching = app.routes.filter(({ method, path: pattern }) => method !== 'ALL' && matches(pattern, path))
  return [...new Set(matching.map(({ method }) => method))]
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(':') || part === given[at])
}

function sentence(error: z.ZodError): string {
  const told = error.issues.slice(0, 5).map(({ path, message }) => `${path.join('/') || 'body'}: ${message}`)
  return `Schema error: ${told.join('; ')}`
}
