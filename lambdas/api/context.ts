import type { Context, Hono } from 'hono'
import type { Caller } from '../../contract/identity.ts'
import type { Showing } from '../../contract/api/views.ts'

/** What the middleware finds out about a request before its resource sees it. */
export interface Facts {
  Variables: {
    requestId: string
    minor: number
    showing: Showing
    caller: Caller
    /** Ours may be shown: fields that Ironic doesn't know. */
    ours: boolean
  }
}
export type Api = Hono<Facts>
export type Call = Context<Facts>

/** Who did it, for the history. */
export function doneBy(call: Call): { user?: string; project?: string } {
  const { user, project } = call.var.caller
  return { user: user?.id, project: project?.id }
}

/** The operation's address for polling, as Ironic gives it with a 202. */
export function acceptedAt(call: Call, ident: string, path: string): Response {
  call.header('location', `${call.var.showing.base}/v1/nodes/${encodeURIComponent(ident)}/${path}`)
  return call.body(null, 202)
}
