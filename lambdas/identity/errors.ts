import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { whyAbsent } from './absent.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { BodyError } from '../api/errors.ts'
import type { Facts } from './context.ts'

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
}

/** It says as little as Keystone's: who guesses must not learn which part was wrong. */
export function unauthorized(): UserError {
  return new UserError(401, 'The request you have made requires authentication.')
}

export function forbidden(what: string): UserError {
  return new UserError(403, `You are not authorized to perform the requested action: ${what}.`)
}

export function notFound(what: string, id: string): UserError {
  return new UserError(404, `Could not find ${what}: ${id}.`)
}

/** Errors as Keystone's API says them. */
export function answerErrors(app: Hono<Facts>, { log }: Pick<Platform, 'log'>): void {
  app.onError((error, call) => {
    if (error instanceof UserError || error instanceof BodyError) return reply(call, error.status, error.message)
    if (error instanceof z.ZodError) return reply(call, 400, sentence(error))
    log.error(
      { method: call.req.method, path: call.req.path, error: String(error), stack: error.stack },
      'request failed',
    )
    return reply(call, 500, 'Internal error; the log of the service has it.')
  })
  app.notFound((call) => {
    const { method, path } = call.req
    const why = whyAbsent(path.replace(/^\/identity/, ''))
    return reply(call, why && method !== 'GET' ? 403 : 404, why ? `Not here: ${why}.` : `Could not find: ${path}.`)
  })
}

function reply(call: Context<Facts>, code: number, message: string): Response {
  if (code === 401) call.header('www-authenticate', `Keystone uri="${call.var.base}/identity"`)
  const title = titles[code] ?? 'Internal Server Error'
  return call.json({ error: { code, message, title } }, code as ContentfulStatusCode)
}

function sentence(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    .join('; ')
}
